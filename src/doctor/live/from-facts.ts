import type { Verdict } from '../../check/ask/question.ts';
import type { CheckResult } from '../../check/check.ts';
import { apiserversReady } from '../../check/checks/apiservers-ready.ts';
import { corednsReady } from '../../check/checks/coredns-ready.ts';
import { etcdMembers } from '../../check/checks/etcd-members.ts';
import { nodesReady } from '../../check/checks/nodes-ready.ts';
import { dialsAt, known, masters } from '../causes/help.ts';
import type { Live } from '../evidence.ts';

/**
 * The checks of `hairpin check` that facts and tries answer already. Asking again would cost each master several kubectls,
 * which is most of what a look at a cluster takes.
 */
export function checksFromFacts(live: Omit<Live, 'checks'>): readonly CheckResult[] {
  const of = (check: { readonly name: string; readonly title: string }, verdict: Verdict) => ({
    name: check.name,
    title: check.title,
    verdict,
    ms: 0,
  });
  return [
    of(apiserversReady, apiservers(live)),
    of(etcdMembers, etcd(live)),
    of(nodesReady, nodes(live)),
    of(corednsReady, coredns(live)),
  ];
}

type Looked = Omit<Live, 'checks'>;

function apiservers(live: Looked): Verdict {
  const asked = masters({ ...live, checks: [] }).map(({ spec }) => ({
    name: spec.name,
    dials: dialsAt({ ...live, checks: [] }, spec.name),
  }));
  if (asked.every(({ dials }) => dials.length === 0)) return { is: 'skip', reason: 'nobody could dial the apiservers' };
  const ready = (dials: (typeof asked)[number]['dials']) =>
    dials.some(({ dials: one }) => [200, 401, 403].some((status) => one.statuses.includes(status)));
  const bad = asked.filter(({ dials }) => !ready(dials)).map(({ name, dials }) => `${name}: /readyz ${answer(dials)}`);
  if (bad.length === 0) return { is: 'ok' };
  return { is: 'not-ok', want: '/readyz of each apiserver answers 200', saw: bad.join('; ') };
}

function answer(dials: ReturnType<typeof dialsAt>): string {
  const statuses = [...new Set(dials.flatMap(({ dials: one }) => one.statuses))];
  return statuses.length === 0 ? 'does not answer' : `answers ${statuses.join(', ')}`;
}

function etcd(live: Looked): Verdict {
  const members = live.nodes.flatMap(({ facts }) => known(facts?.etcd)?.members ?? []);
  const [first] = live.nodes.flatMap(({ facts }) => known(facts?.etcd) ?? []);
  if (first === undefined || members.length === 0) return { is: 'skip', reason: 'no etcd answered' };
  const count = masters({ ...live, checks: [] }).length;
  const voters = first.members.filter(({ name, learner }) => name !== '' && !learner).length;
  if (voters === count && first.members.length === count) return { is: 'ok', saw: `${voters} voters` };
  return {
    is: 'not-ok',
    want: `${count} etcd members, each a started voter`,
    saw: `${voters} of ${first.members.length}`,
  };
}

function nodes(live: Looked): Verdict {
  const [api] = live.nodes.flatMap(({ facts }) => known(facts?.api) ?? []);
  if (api === undefined) return { is: 'skip', reason: 'no apiserver answered' };
  const ready = new Set(api.nodes.filter((node) => node.ready).map(({ name }) => name));
  const bad = live.nodes.map(({ spec }) => spec.name).filter((name) => !ready.has(name));
  return bad.length === 0
    ? { is: 'ok' }
    : { is: 'not-ok', want: 'every node is Ready', saw: `${bad.join(', ')} ${bad.length === 1 ? 'is' : 'are'} not` };
}

function coredns(live: Looked): Verdict {
  const [api] = live.nodes.flatMap(({ facts }) => known(facts?.api) ?? []);
  const found = api?.workloads.find(({ name }) => name === 'deployment/coredns');
  if (found === undefined) return { is: 'skip', reason: 'no apiserver answered, or there is no CoreDNS' };
  return found.ready > 0 ? { is: 'ok' } : { is: 'not-ok', want: 'at least one CoreDNS pod is ready', saw: '0 are' };
}
