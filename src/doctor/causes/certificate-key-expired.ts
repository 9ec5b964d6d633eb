import type { Cause } from '../cause.ts';

export const certificateKeyExpired: Cause = {
  id: 'certificate-key-expired',
  title: 'the certificates for joining masters are gone (their key lives two hours), or the key is another one',
  needs: ['logs'],
  why: 'a joining master downloads the CA keys from the Secret kubeadm-certs, which is deleted after two hours',
  explanation: `\`kubeadm init --upload-certs\` puts the CA keys, encrypted, into the Secret kubeadm-certs. It belongs to a token of two hours
and goes with it. A master that joins later has nothing to download; with the key of an earlier upload it cannot decrypt
what is there.`,
  run: 'kubeadm init phase upload-certs --upload-certs    (on a master; join with the new key; or hairpin up)',
  produced: 'scenario',
  signs: [
    {
      in: ['kubeadm'],
      match:
        /Secret "kubeadm-certs" was not found in the "kube-system" Namespace|error downloading the secret: .*kubeadm-certs/,
      confidence: 'certain',
      example:
        'error: error execution phase control-plane-prepare/download-certs: error downloading certs: error downloading the secret: Secret "kubeadm-certs" was not found in the "kube-system" Namespace. This Secret might have expired. Please, run `kubeadm init phase upload-certs --upload-certs` on a control plane to generate a new one',
      seenIn: 'kubeadm join --control-plane after two hours (kubeadm app/phases/copycerts)',
    },
    {
      in: ['kubeadm'],
      match: /error decoding secret data with provided key: cipher: message authentication failed/,
      confidence: 'certain',
      example:
        'error: error execution phase control-plane-prepare/download-certs: error downloading certs: error decoding secret data with provided key: cipher: message authentication failed',
      seenIn: 'kubeadm join with the key of an earlier upload (kubeadm app/phases/copycerts)',
    },
  ],
};
