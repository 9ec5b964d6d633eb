import type { Cause } from '../cause.ts';
import { each, endpointDials, known, reachesMembers } from './help.ts';

export const reversePathFilter: Cause = {
  id: 'reverse-path-filter',
  title: 'strict reverse-path filtering drops answers that come in on another interface',
  needs: ['facts', 'dials'],
  why: 'the node reaches {endpoint} through one interface and has its own address on another; rp_filter 1 throws away what comes back the other way',
  explanation: `With net.ipv4.conf.*.rp_filter = 1 the kernel drops a packet when its own route back to the source leaves by another
interface. Nodes with two NICs, where the balancer's subnet is behind the second one, lose the answers without a trace
(except in nstat's IPReversePathFilter).`,
  run: 'sysctl -w net.ipv4.conf.all.rp_filter=2    (on {nodes}; nstat -az IPReversePathFilter counts the drops)',
  produced: 'recorded',
  signs: [],
  judge: (live) =>
    each(live.nodes, 'likely', (node) => {
      const dials = endpointDials(node);
      const strict = known(node.facts?.sysctls)?.['net.ipv4.conf.all.rp_filter'] === '1';
      if (!strict || dials === undefined || dials.answered > 0 || dials.timedOut === 0 || !reachesMembers(node, live))
        return undefined;
      const own = new Set(node.spec.addresses.map(({ text }) => text));
      const home = known(node.facts?.interfaces)?.find(({ addresses }) =>
        addresses.some(({ address }) => own.has(address.text)),
      );
      const out = known(node.facts?.endpointRoutes)?.find((route) => route.is === 'unicast');
      if (home === undefined || out?.device === undefined || out.device === home.name) return undefined;
      return `the route to the endpoint leaves by ${out.device}, the node's address is on ${home.name}, rp_filter is 1`;
    }),
};
