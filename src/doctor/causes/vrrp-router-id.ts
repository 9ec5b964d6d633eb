import type { Cause, Sighting } from '../cause.ts';
import { masters } from './help.ts';

export const vrrpRouterId: Cause = {
  id: 'vrrp-router-id',
  title: 'two VRRP groups on one network share a virtual router id',
  needs: ['look', 'logs'],
  why: 'keepalived hears adverts of its own router id with other addresses, and one of the groups gives way or ignores the other',
  explanation: `A virtual router id (1–255) has to be unique on its network segment. Two groups with the same one hear each other: each
logs that the addresses in the advert are not its own, adverts are thrown away or believed by turns, and the address is
held by nobody or by two.`,
  run: 'journalctl -u keepalived -n 50    (on {node}; then give one of the groups another virtual_router_id)',
  produced: 'real',
  signs: [
    {
      in: ['keepalived'],
      match:
        /received an invalid ip number count|ip address associated with VRID.* not present in MASTER advert|expected .*VIPs?.* but .* advert|(?:Received|received) advert .*(?:VRID|vrid).*(?:mismatch|conflict)/i,
      confidence: 'certain',
      example: '(VI_1) ip address associated with VRID 51 not present in MASTER advert: 172.16.105.26',
      seenIn: 'keepalived 2.2.7 (test/wire/doctor-programs.test.ts)',
    },
  ],
  judge(live) {
    const all = masters(live).flatMap((node) =>
      (node.look?.keepalived ?? []).flatMap((file) => file.instances).map((instance) => ({ node, instance })),
    );
    return all.flatMap(({ node, instance }, index): Sighting[] => {
      const rival = all
        .slice(0, index)
        .find(
          (other) =>
            other.instance.routerId !== undefined &&
            other.instance.routerId === instance.routerId &&
            other.instance.interface === instance.interface &&
            other.instance.addresses.toSorted().join() !== instance.addresses.toSorted().join(),
        );
      if (rival === undefined) return [];
      const addresses = (of: typeof instance) => of.addresses.join(', ');
      return [
        {
          node: node.spec.name,
          confidence: 'certain',
          saw: `router id ${instance.routerId} is for ${addresses(instance)} here, and for ${addresses(rival.instance)} on ${rival.node.spec.name}`,
        },
      ];
    });
  },
};
