import { formatDuration } from '../../std/duration.ts';
import type { Cause } from '../cause.ts';
import { each, known } from './help.ts';

/** Fresh certificates and tokens are valid from now on: a minute is more than any of them allows. */
const tooFarMs = 60_000;

export const clockWrong: Cause = {
  id: 'clock-wrong',
  title: "a node's clock is wrong",
  needs: ['facts', 'logs'],
  why: 'certificates and tokens are not valid yet, or no more, for {nodes}; etcd and leases count on time as well',
  explanation: `Certificates that were made a moment ago are "not yet valid" for a node whose clock is behind, and everything has expired
for one that is far ahead. kubeadm's own tokens are judged by the apiserver's clock. etcd wants clocks within a second.`,
  run: 'timedatectl; systemctl enable --now chrony    (on {nodes})',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      match: /x509: certificate has expired or is not yet valid: current time \S+ is before/,
      confidence: 'certain',
      example:
        'error: error execution phase preflight: couldn\'t validate the identity of the API Server: Get "https://172.16.105.26:6443/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s": tls: failed to verify certificate: x509: certificate has expired or is not yet valid: current time 2019-01-01T00:00:00Z is before 2026-11-27T10:00:00Z',
      seenIn: 'any Go client (crypto/x509 CertificateInvalidError)',
    },
    {
      in: ['etcd'],
      match: /prober found high clock drift/,
      confidence: 'likely',
      example:
        '{"level":"warn","ts":"2026-11-27T10:00:00.000000Z","caller":"rafthttp/probing_status.go:82","msg":"prober found high clock drift","round-tripper-name":"ROUND_TRIPPER_RAFT_MESSAGE","remote-peer-id":"8211f1d0f64f3269","clock-drift":"1m4s","rtt":"120µs"}',
      seenIn: 'etcd (server/etcdserver/api/rafthttp/probing_status.go)',
    },
  ],
  judge(live) {
    // Of all nodes alike it is this machine's clock that is wrong.
    const offsets = live.nodes.flatMap(({ facts }) => known(facts?.clock)?.offsetMs ?? []).toSorted((a, b) => a - b);
    const middle = offsets[Math.floor(offsets.length / 2)] ?? 0;
    return each(live.nodes, 'certain', (node) => {
      const clock = known(node.facts?.clock);
      if (clock === undefined) return undefined;
      const off = clock.offsetMs - middle;
      if (Math.abs(off) - clock.uncertaintyMs < tooFarMs) return undefined;
      return `its clock is ${formatDuration(Math.abs(off))} ${off < 0 ? 'behind' : 'ahead of'} the other nodes'`;
    });
  },
};
