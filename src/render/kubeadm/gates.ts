import { atLeast, type Version } from '../../std/version.ts';

/**
 * kubeadm's own feature gates (not Kubernetes'): minors of 1.x in which kubeadm accepts them, both ends included. Read in
 * `InitFeatureGates` of 1.34.4, 1.35.4, 1.36.3 and 1.37.2; the minors before 1.34 are from release notes.
 */
const gates: Readonly<Record<string, readonly [from: number, to: number]>> = {
  ControlPlaneKubeletLocalMode: [31, 35],
  EtcdLearnerMode: [27, 32],
  IPv6DualStack: [16, 23],
  NodeLocalCRISocket: [32, 36],
  PublicKeysECDSA: [19, 36],
  RootlessControlPlane: [22, 99],
  UnversionedKubeletConfigMap: [22, 25],
  UpgradeAddonsBeforeControlPlane: [28, 30],
  WaitForAllControlPlaneComponents: [30, 34],
};

/** kubeadm refuses a gate that it does not know, so a gate is written only where it exists. Unknown names: `undefined`. */
export function gateExists(name: string, v: Version): boolean | undefined {
  const range = gates[name];
  if (range === undefined) return undefined;
  return atLeast(v, 1, range[0]) && !atLeast(v, 1, range[1] + 1);
}

/** The gates that these documents set and this kubeadm does not have. */
export function gatesMissing(wanted: Readonly<Record<string, unknown>>, v: Version): readonly string[] {
  return Object.keys(wanted).filter((name) => gateExists(name, v) === false);
}
