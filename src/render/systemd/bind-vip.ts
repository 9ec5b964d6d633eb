import type { Address } from '../../std/address.ts';
import type { WantedFile } from '../../strategy/strategy.ts';
import { quietArpPath } from './quiet-arp.ts';
import { renderUnit, unitPath, writtenBy } from './unit.ts';

export const bindVipUnit = 'hairpin-vip.service';
export const bindVipScriptPath = '/etc/hairpin/bind-vip.sh';

/**
 * Puts the endpoint's address on the node, now and at each boot.
 *
 * IPv4: /32 on the NIC as in the article, but with scope host, so that no other connection takes it as its source and
 * the NIC does not answer ARP for it (arp_ignore 3, quiet-arp.ts).
 * IPv6: /128 on lo. There is no arp_ignore for neighbour discovery, but a NIC answers only for its own addresses; and
 * duplicate address detection is off, since the balancer has the address too.
 */
export function bindVipFiles(vip: Address, device: string, because: string): readonly WantedFile[] {
  return [
    { path: bindVipScriptPath, content: script(vip, device), mode: 0o755, because },
    { path: unitPath(bindVipUnit), content: unit(vip, device), mode: 0o644, because: 'the address outlives a reboot' },
  ];
}

function script(vip: Address, device: string): string {
  const address = vip.family === 4 ? `${vip.text}/32 dev ${device}` : `${vip.text}/128 dev lo`;
  const options = vip.family === 4 ? 'scope host' : 'nodad';
  const quiet = (verb: string) => (vip.family === 4 ? [`    ${quietArpPath} ${verb} ${device}`] : []);
  return [
    '#!/bin/sh',
    `# ${writtenBy}`,
    '# Binds the endpoint to this node: its own connections to the endpoint then end here and never reach the balancer.',
    'set -eu',
    'case "$1" in',
    '  start)',
    ...quiet('start'),
    `    ip ${vip.family === 4 ? '-4' : '-6'} address replace ${address} ${options}`,
    '    ;;',
    '  stop)',
    `    ip ${vip.family === 4 ? '-4' : '-6'} address delete ${address} 2>/dev/null || true`,
    ...quiet('stop'),
    '    ;;',
    'esac',
    '',
  ].join('\n');
}

function unit(vip: Address, device: string): string {
  return renderUnit({
    description: `hairpin: endpoint ${vip.text} on ${vip.family === 4 ? device : 'lo'}`,
    wants: ['network-online.target'],
    after: ['network-online.target'],
    before: ['kubelet.service'],
    service: [
      'Type=oneshot',
      'RemainAfterExit=yes',
      `ExecStart=${bindVipScriptPath} start`,
      `ExecStop=${bindVipScriptPath} stop`,
    ],
  });
}
