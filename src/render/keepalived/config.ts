import type { SpecNode } from '../../spec/spec.ts';
import type { Address } from '../../std/address.ts';
import type { WantedFile } from '../../strategy/strategy.ts';
import { haproxyHealthPort } from '../haproxy/config.ts';
import { quietArpPath } from '../systemd/quiet-arp.ts';
import { renderUnit, unitPath, writtenBy } from '../systemd/unit.ts';

export const keepalivedUnit = 'hairpin-keepalived.service';
export const keepalivedConfigPath = '/etc/hairpin/keepalived.conf';
export const keepalivedCheckPath = '/etc/hairpin/check-haproxy.sh';

export interface KeepalivedOptions {
  readonly node: SpecNode;
  readonly index: number;
  readonly masters: readonly SpecNode[];
  readonly device: string;
  readonly vip: Address;
  readonly routerId: number;
}

/**
 * Every master is keepalived's MASTER, as in the article. Each has a virtual router id of its own, so that nobody ever
 * hears a rival, whether or not the network carries VRRP; and priority 255 (owner of the address), so that the address is
 * there at once and not after three silent intervals. The address is on lo, where keepalived announces it to nobody;
 * `announcedOn` names an interface instead, for the drill that shows why that is a bad idea without a balancer.
 */
export function renderAllMaster(options: KeepalivedOptions, vrrp: 'unicast' | 'silent', announcedOn?: string): string {
  const { node, index, vip, device, routerId } = options;
  return `# ${writtenBy}
global_defs {
  router_id ${node.name}
${versionLine(vip)}}

vrrp_instance hairpin {
  state MASTER
  interface ${device}
  virtual_router_id ${routerIdOf(routerId, index)}
  priority 255
  advert_int 10
${vrrp === 'unicast' ? unicast(options) : ''}  virtual_ipaddress {
    ${vip.text}/${vip.family === 4 ? 32 : 128} dev ${announcedOn ?? (vip.family === 4 ? 'lo scope host' : 'lo')}
  }
}
`;
}

/**
 * One master holds the address: the one with the highest priority among those whose haproxy has an apiserver, ready or (when none is) alive. A
 * master whose check fails goes to FAULT and lets go (a weight would not do with nopreempt: a rival of higher priority
 * would not take over). fall 3 × 2 s is above haproxy's 2 × 1 s, so the address never moves before haproxy has tried
 * another apiserver (MCO#3158).
 */
export function renderOneHolder(options: KeepalivedOptions): string {
  const { node, index, vip, device, routerId } = options;
  return `# ${writtenBy}
global_defs {
  router_id ${node.name}
  enable_script_security
  script_user root
${versionLine(vip)}}

vrrp_script haproxy_has_an_apiserver {
  script "${keepalivedCheckPath}"
  interval 2
  timeout 1
  fall 3
  rise 2
}

vrrp_instance hairpin {
  state BACKUP
  nopreempt
  interface ${device}
  virtual_router_id ${routerId}
  priority ${Math.max(1, 200 - 10 * index)}
  advert_int 1
${unicast(options)}  virtual_ipaddress {
    ${vip.text}/${vip.family === 4 ? 32 : 128} dev ${device}
  }
  track_script {
    haproxy_has_an_apiserver
  }
}
`;
}

/** Who holds the address, and whether the network is told: `silent` has quiet-arp.sh beside it (IPv4 only). */
export type KeepalivedKind = 'all-master-silent' | 'all-master' | 'one-holder';

/** bash, because bare nodes have no curl: asks haproxy's health page. */
export const keepalivedCheckScript = `#!/bin/bash
# ${writtenBy}
# Ends with 0 while this node's haproxy has an apiserver that is ready, or alive when none is.
exec 3<>/dev/tcp/127.0.0.1/${haproxyHealthPort} || exit 1
printf 'GET /healthz HTTP/1.0\\r\\n\\r\\n' >&3
read -r -t 1 status <&3
[[ "$status" == *' 200 '* ]]
`;

export function keepalivedFiles(
  config: string,
  kind: KeepalivedKind,
  device: string,
  because: string,
): readonly WantedFile[] {
  return [
    { path: keepalivedConfigPath, content: config, mode: 0o644, because },
    ...(kind === 'one-holder'
      ? [
          {
            path: keepalivedCheckPath,
            content: keepalivedCheckScript,
            mode: 0o755,
            because: 'the address follows haproxy',
          },
        ]
      : []),
    {
      path: unitPath(keepalivedUnit),
      content: unit(kind, device),
      mode: 0o644,
      because: 'a unit of its own, so that a keepalived that was there keeps its file',
    },
  ];
}

function unit(kind: KeepalivedKind, device: string): string {
  const quiet = (key: string, verb: string) =>
    kind === 'all-master-silent' ? [`${key}=${quietArpPath} ${verb} ${device}`] : [];
  return renderUnit({
    description: 'hairpin: keepalived holds the endpoint',
    wants: ['network-online.target'],
    after: ['network-online.target', 'hairpin-haproxy.service'],
    before: ['kubelet.service'],
    service: [
      'Type=simple',
      'RuntimeDirectory=hairpin-keepalived',
      ...quiet('ExecStartPre', 'start'),
      `ExecStart=/usr/bin/env keepalived --dont-fork --log-console --vrrp --use-file=${keepalivedConfigPath} --pid=/run/hairpin-keepalived/main.pid --vrrp_pid=/run/hairpin-keepalived/vrrp.pid`,
      ...quiet('ExecStopPost', 'stop'),
      'Restart=always',
      'RestartSec=1',
    ],
  });
}

function unicast({ node, masters }: KeepalivedOptions): string {
  const peers = masters.filter((master) => master.name !== node.name);
  if (peers.length === 0) return '';
  return [
    `  unicast_src_ip ${node.address.text}`,
    '  unicast_peer {',
    ...peers.map((peer) => `    ${peer.address.text}`),
    '  }',
    '',
  ].join('\n');
}

/** VRRP version 2 knows IPv4 only. */
function versionLine(vip: Address): string {
  return vip.family === 6 ? '  vrrp_version 3\n' : '';
}

/** 1 to 255, and none twice for up to 255 masters. */
function routerIdOf(first: number, index: number): number {
  return ((first - 1 + index) % 255) + 1;
}
