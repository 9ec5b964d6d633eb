import { atLeast, compareVersions, type Version, version } from '../../std/version.ts';

export type Dialled = 'endpoint' | 'local';

/** Who dials the endpoint, and who the node's own apiserver, on a master of this version. */
export interface Dials {
  /** The API calls of `kubeadm init` itself (upload-config and what follows). */
  readonly kubeadmInit: Dialled;
  /** The kubelet of a master. Those of workers always dial the endpoint. */
  readonly masterKubelet: Dialled;
  /** kube-controller-manager and kube-scheduler. */
  readonly controllers: Dialled;
  /** The API calls of `kubeadm join` of a master after its own apiserver runs (etcd, mark-control-plane). */
  readonly kubeadmJoin: Dialled;
}

/**
 * Read in kubeadm's source (cmd/kubeadm/app/phases, cmd/kubeadm/app/cmd/phases) and partly measured. Where it is not known from which patch on a minor
 * has the change (1.33 to 1.36), the older behaviour is assumed: then the endpoint works earlier than it must, which
 * costs nothing. `localModeGate` is the feature gate as the documents set it, `undefined` when they do not.
 */
export function dialsOf(v: Version, localModeGate?: boolean): Dials {
  return {
    kubeadmInit: initIsLocal(v) ? 'local' : 'endpoint',
    masterKubelet: kubeletIsLocal(v, localModeGate) ? 'local' : 'endpoint',
    controllers: atLeast(v, 1, 19) ? 'local' : 'endpoint',
    // admin.conf as it is, up to 1.37: only wait-control-plane was given a client of its own.
    kubeadmJoin: 'endpoint',
  };
}

/** k/k#138449: in 1.36.3 and 1.37.2 read in the source; 1.34.4 and 1.35.4 do not have it. */
function initIsLocal(v: Version): boolean {
  if (atLeast(v, 1, 37)) return true;
  return v.major === 1 && v.minor === 36 && compareVersions(v, version('v1.36.3')) >= 0;
}

/** The gate ControlPlaneKubeletLocalMode: alpha and off in 1.31, on in 1.33, always on from 1.35. */
function kubeletIsLocal(v: Version, gate: boolean | undefined): boolean {
  if (atLeast(v, 1, 35)) return true;
  if (!atLeast(v, 1, 31)) return false;
  return gate ?? atLeast(v, 1, 33);
}
