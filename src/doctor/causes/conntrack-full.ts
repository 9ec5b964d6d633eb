import type { Cause } from '../cause.ts';
import { each, known } from './help.ts';

/** The kernel drops from 100 % on, and bursts come in between two looks. */
const nearlyFull = 0.95;

export const conntrackFull: Cause = {
  id: 'conntrack-full',
  title: "the kernel's table of connections is full",
  needs: ['facts', 'logs'],
  why: 'a packet that would begin a new connection is dropped while the table is full, whoever sends it; kept ones go on',
  explanation: `Every connection that passes netfilter's NAT has an entry in nf_conntrack; when nf_conntrack_max is reached the kernel
drops the first packet of any new one. New connections time out at random, in bursts, to everything.`,
  run: "sysctl -w net.netfilter.nf_conntrack_max=524288    (on {nodes}; who fills it: conntrack -L | awk '{print $5}' | sort | uniq -c | sort -n)",
  produced: 'recorded',
  signs: [
    {
      match: /nf_conntrack: (?:nf_conntrack: )?table full, dropping packet/,
      confidence: 'certain',
      example: 'nf_conntrack: nf_conntrack: table full, dropping packet',
      seenIn: 'the kernel (net/netfilter/nf_conntrack_core.c)',
    },
  ],
  judge: (live) =>
    each(live.nodes, 'certain', (node) => {
      const sysctls = known(node.facts?.sysctls);
      const count = Number(sysctls?.['net.netfilter.nf_conntrack_count']);
      const max = Number(sysctls?.['net.netfilter.nf_conntrack_max']);
      return max > 0 && count >= max * nearlyFull ? `${count} of ${max} entries are in use` : undefined;
    }),
};
