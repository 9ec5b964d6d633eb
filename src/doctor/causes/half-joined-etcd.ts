import type { Cause, Sighting } from '../cause.ts';
import { known, masters, phaseOf } from './help.ts';

export const halfJoinedEtcd: Cause = {
  id: 'half-joined-etcd',
  title: 'etcd has a member that never came up (a half-joined master)',
  needs: ['facts', 'logs'],
  why: 'a join stopped after it had added its etcd member; the member counts for the quorum, and the next join is refused',
  explanation: `kubeadm adds a joining master to etcd before the new etcd runs. When the join dies in between, a member without a name
(or a learner that nobody promotes) is left. With one healthy master and one such voter the quorum is gone; with more, the
next join ends with "re-configuration failed" or "Peer URLs already exists" (kubeadm#2095, #3269).`,
  run: 'hairpin up    (removes the member and joins again; by hand: etcdctl member list, member remove ID, kubeadm reset -f on {node})',
  logsAloneAreOld: true,
  produced: 'scenario',
  signs: [
    {
      match:
        /etcdserver: (?:re-configuration failed due to not enough started members|Peer URLs already exists|too many learner members in cluster|unhealthy cluster|can only promote a learner member which is in sync with leader)/,
      confidence: 'likely',
      example:
        'error: error execution phase etcd-join: error creating local etcd static pod manifest file: etcdserver: re-configuration failed due to not enough started members',
      seenIn: 'kubeadm join after a join that died (etcd server errors, api/v3rpc/rpctypes/error.go)',
    },
    {
      in: ['etcd'],
      match: /member count is unequal|error validating peerURLs/,
      confidence: 'certain',
      example:
        '{"level":"fatal","ts":"2026-11-27T10:00:00.000000Z","caller":"etcdmain/etcd.go:181","msg":"discovery failed","error":"error validating peerURLs {ClusterID:2f5c MemberID:8e9e}: member count is unequal"}',
      seenIn: 'etcd (server/etcdserver/bootstrap.go)',
    },
  ],
  judge(live) {
    const etcd = masters(live)
      .map((node) => known(node.facts?.etcd))
      .find((one) => one !== undefined);
    return (etcd?.members ?? []).flatMap((member): Sighting[] => {
      if (member.name !== '' && !member.learner) return [];
      const host = masters(live).find(({ spec }) =>
        member.peerUrls.some((url) => spec.addresses.some(({ text }) => url.includes(text))),
      );
      const phase = host === undefined ? 'nothing' : phaseOf(host);
      const what = member.name === '' ? 'was added and never started' : 'is a learner';
      return [
        {
          node: host?.spec.name,
          // A join that is under way looks the same for a moment.
          confidence: phase === 'control-plane' ? 'likely' : 'certain',
          saw: `etcd member ${member.id} (${member.peerUrls.join(', ')}) ${what}`,
        },
      ];
    });
  },
};
