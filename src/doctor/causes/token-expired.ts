import type { Cause } from '../cause.ts';

export const tokenExpired: Cause = {
  id: 'token-expired',
  title: 'the bootstrap token has expired or was deleted',
  needs: ['logs'],
  why: 'a join trusts the cluster-info that the token has signed, and its token no longer signs anything',
  explanation: `A bootstrap token lives 24 hours unless told otherwise. After that the controller manager takes its signature out of
cluster-info, and a join with it waits for a signature that never comes.`,
  run: 'kubeadm token create --print-join-command    (on a master; or hairpin up, which makes and deletes its own)',
  produced: 'real',
  signs: [
    {
      in: ['kubeadm'],
      match:
        /could not find a JWS signature in the cluster-info ConfigMap for token ID|cluster-info ConfigMap does not yet contain a JWS signature for token ID/,
      confidence: 'certain',
      example:
        'error: error execution phase preflight: couldn\'t validate the identity of the API Server: could not find a JWS signature in the cluster-info ConfigMap for token ID "abcdef"',
      seenIn: 'kubeadm join of v1.37.2 (test/wire/doctor-kubeadm.test.ts)',
    },
    {
      in: ['kubeadm', 'kubelet'],
      match: /failed to find the requested bootstrap token|token.* has expired|bootstrap token .* expired/,
      confidence: 'likely',
      example: 'error: the bootstrap token "abcdef" has expired',
      seenIn: 'words of kubeadm and the bootstrap authenticator, from memory',
    },
  ],
};
