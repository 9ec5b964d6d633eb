import type { Cause } from '../cause.ts';

export const sameMachineId: Cause = {
  id: 'same-machine-id',
  title: 'nodes that were cloned share what has to be their own',
  needs: ['facts'],
  why: 'leases, DHCP and CNIs tell machines apart by it',
  explanation: `Machines that were made from one image share their machine id (or host name, product uuid, an address). Clusters made of them
lose nodes or leases in ways that are hard to see.`,
  run: 'rm /etc/machine-id /var/lib/dbus/machine-id; systemd-machine-id-setup; reboot    (on all but one)',
  general: true,
  produced: 'recorded',
  signs: [],
  judge: (live) =>
    live.facts.duplicates.map(({ what, value, nodes }) => ({
      node: undefined,
      confidence: what === 'product-uuid' ? ('possible' as const) : ('certain' as const),
      saw: `${what} ${value} on ${nodes.join(', ')}`,
    })),
};
