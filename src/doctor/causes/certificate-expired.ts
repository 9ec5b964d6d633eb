import type { Cause } from '../cause.ts';
import { each, known } from './help.ts';

export const certificateExpired: Cause = {
  id: 'certificate-expired',
  title: 'a certificate has expired',
  needs: ['facts', 'logs'],
  why: 'whoever has to believe it refuses every connection',
  explanation: `kubeadm's certificates live one year and are renewed by \`kubeadm upgrade\`; a cluster that was never upgraded stops on
its first birthday. Kubelets renew their own as long as an apiserver answers.`,
  run: 'kubeadm certs renew all    (on {nodes}, then restart its static pods: move the manifests away and back)',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      match:
        /x509: certificate has expired or is not yet valid: current time (\S+?)"? is after|certificate has expired(?! or)|tls: expired certificate/,
      confidence: 'likely',
      example:
        'E1127 10:00:00.000000       1 authentication.go:73] "Unable to authenticate the request" err="[x509: certificate has expired or is not yet valid: current time 2026-11-27T10:00:00Z is after 2026-11-26T10:00:00Z, verifying certificate SN=1 failed]"',
      seenIn: 'kube-apiserver (apiserver authentication; crypto/x509)',
    },
  ],
  judge: (live) =>
    each(live.nodes, 'certain', (node) => {
      const now = live.now.getTime() + (known(node.facts?.clock)?.offsetMs ?? 0);
      const expired = (known(node.facts?.certificates) ?? []).filter(({ notAfter }) => Date.parse(notAfter) < now);
      const [first] = expired;
      return first === undefined
        ? undefined
        : `${first.path} expired ${first.notAfter}${expired.length > 1 ? `, and ${expired.length - 1} more` : ''}`;
    }),
};
