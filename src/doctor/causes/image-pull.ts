import type { Cause } from '../cause.ts';

/** Pods without which there is no cluster; somebody's own pod with a wrong image is not why a control plane fails. */
const ours =
  /kube-system\/(?:etcd|kube-apiserver|kube-controller-manager|kube-scheduler|kube-proxy|coredns)|pause|sandbox/;

export const imagePull: Cause = {
  id: 'image-pull',
  title: 'images of the control plane cannot be pulled',
  needs: ['logs'],
  why: 'a pod whose image is not there and cannot be fetched never starts',
  explanation: `registry.k8s.io is not reachable from everywhere; imageRepository names a mirror, and every image and its exact tag has to
be there, pause included (containerd has its own setting for that one). kubeadm says it in its preflight; without that the
kubelet backs off and tries again, up to every five minutes.`,
  run: 'kubeadm config images list | xargs -n1 crictl pull    (on {nodes}; set spec.kubernetes.imageRepository, or bring the images: hairpin bundle create)',
  produced: 'scenario',
  signs: [
    {
      in: ['kubeadm'],
      match: /\[ERROR ImagePull\]: failed to pull image|failed to pull image "?(?:\S*\/)?(?:kube-|etcd|pause|coredns)/,
      confidence: 'certain',
      example:
        '\t[ERROR ImagePull]: failed to pull image registry.k8s.io/kube-apiserver:v1.37.2: failed to pull image registry.k8s.io/kube-apiserver:v1.37.2: failed to resolve reference "registry.k8s.io/kube-apiserver:v1.37.2": dial tcp: lookup registry.k8s.io: no such host',
      seenIn: "kubeadm's preflight (kubeadm app/preflight/checks.go)",
    },
    {
      in: ['kubelet'],
      match:
        /ErrImagePull|ImagePullBackOff|ErrImageNeverPull|Failed to (?:pull image|create sandbox).*(?:failed to (?:pull|resolve|get sandbox image))/,
      when: (entry) => ours.test(entry.text),
      confidence: 'certain',
      example:
        'E1127 10:00:00.000000    1811 pod_workers.go:1324] "Error syncing pod, skipping" err="failed to \\"StartContainer\\" for \\"kube-proxy\\" with ImagePullBackOff: \\"Back-off pulling image \\\\\\"registry.k8s.io/kube-proxy:v1.37.9\\\\\\"\\"" pod="kube-system/kube-proxy-abcde" podUID="1"',
      seenIn: 'kubelet (pkg/kubelet/images)',
    },
  ],
};
