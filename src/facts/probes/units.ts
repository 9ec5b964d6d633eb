import { quoteArgv } from '../../std/quote.ts';
import type { Probe } from '../probe.ts';
import type { Unit } from '../types.ts';

const usual = [
  'kubelet.service',
  'containerd.service',
  'crio.service',
  'docker.service',
  'keepalived.service',
  'haproxy.service',
  'nginx.service',
  'nftables.service',
  'firewalld.service',
  'ufw.service',
  'systemd-networkd.service',
  'systemd-resolved.service',
  'NetworkManager.service',
  'chronyd.service',
  'chrony.service',
  'systemd-timesyncd.service',
  'hairpin-agent.service',
];

export const units: Probe<Readonly<Record<string, Unit>>> = {
  script: (ask) => {
    const names = [...new Set([...usual, ...ask.units])];
    return `
[ -d /run/systemd/system ] || { echo 'this node was not started by systemd'; exit 1; }
systemctl show -p Id,LoadState,ActiveState,UnitFileState -- ${quoteArgv(names)}`;
  },

  parse(text) {
    const blocks = text.split(/\n\s*\n/).map(
      (block) =>
        new Map(
          block
            .split('\n')
            .filter((line) => line.includes('='))
            .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
        ),
    );
    return Object.fromEntries(
      blocks.flatMap((block) => {
        const id = block.get('Id');
        if (id === undefined || block.get('LoadState') === 'not-found') return [];
        return [[id, { active: stateOf(block.get('ActiveState')), enabled: block.get('UnitFileState') || 'none' }]];
      }),
    );
  },
};

/** A unit that reads its configuration again runs, and `systemctl is-active` says so too. */
function stateOf(state = 'unknown'): string {
  return state === 'reloading' || state === 'refreshing' ? 'active' : state;
}
