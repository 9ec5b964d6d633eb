import type { Cause } from '../cause.ts';
import { dialsAt, known, membersOf } from './help.ts';

export const etcdQuorumLost: Cause = {
  id: 'etcd-quorum-lost',
  title: 'etcd has lost its quorum',
  needs: ['facts', 'dials', 'logs'],
  why: 'more than half of the etcd members have to answer; without that no apiserver is ready, wherever it runs',
  explanation: `Every apiserver answers /readyz with [-]etcd failed and every request with a time-out. With three members one may be lost,
with two none. Members that never started count too.`,
  run: 'etcdctl --endpoints https://127.0.0.1:2379 --cacert /etc/kubernetes/pki/etcd/ca.crt --cert /etc/kubernetes/pki/etcd/server.crt --key /etc/kubernetes/pki/etcd/server.key endpoint status --cluster -w table    (on {node})',
  logsAloneAreOld: true,
  produced: 'scenario',
  signs: [
    {
      in: ['kube-apiserver', 'etcd', 'kubeadm'],
      match:
        /etcdserver: no leader|etcdserver: leader changed.*no leader|lost leader .* at term|"rejected connection".*no leader/,
      unless: /elected leader|became leader/,
      confidence: 'possible',
      atLeast: 3,
      example:
        '{"level":"warn","ts":"2026-11-27T10:00:00.000000Z","caller":"etcdserver/server.go:1","msg":"failed","error":"etcdserver: no leader"}',
      seenIn: 'etcd (api/v3rpc/rpctypes/error.go)',
    },
  ],
  judge(live) {
    const members = membersOf(live);
    if (members.length === 0) return [];
    const silent = members.filter((node) => known(node.facts?.etcd) === undefined);
    const unready = members.every(({ spec }) =>
      dialsAt(live, spec.name).every(({ dials }) => !dials.statuses.includes(200) && !dials.statuses.includes(401)),
    );
    const down = silent.filter(({ facts }) => !(known(facts?.listening) ?? []).some(({ port }) => port === 2379));
    if (!unready || down.length * 2 < members.length) return [];
    return down.map(({ spec }) => ({
      node: spec.name,
      confidence: 'certain' as const,
      saw: `etcd does not listen (${down.length} of ${members.length} members), and no apiserver is ready`,
    }));
  },
};
