import { atLeast, type Version } from '../../std/version.ts';
import type { KubeadmApi } from './api.ts';

/** In /run, which is memory: a file that a killed run leaves behind does not survive a reboot. */
export const initConfigPath = '/run/hairpin/kubeadm-init.yaml';
export const caConfigPath = '/run/hairpin/kubeadm-ca.yaml';
export const joinConfigPath = '/run/hairpin/kubeadm-join.yaml';
/** Where the cluster is and what CA it has: nothing secret. */
export const discoveryPath = '/run/hairpin/kubeadm-discovery.conf';
export const credentialsConfigPath = '/run/hairpin/kubeadm-credentials.yaml';

/** Flags that changed their names: 1.15 dropped `experimental-`. */
export function flagsOf(v: Version): { readonly uploadCerts: string; readonly controlPlane: string } {
  return atLeast(v, 1, 15)
    ? { uploadCerts: '--upload-certs', controlPlane: '--control-plane' }
    : { uploadCerts: '--experimental-upload-certs', controlPlane: '--experimental-control-plane' };
}

/**
 * Is a joining node told CA and endpoint in a file? Otherwise it reads them in ConfigMap cluster-info and waits until
 * kube-controller-manager has signed that for the token, 5 to 6 s after init. Older kubeadms can do it as well; from this one on
 * it was seen.
 */
export function discoversByFile(v: Version): boolean {
  return atLeast(v, 1, 34);
}

/** Can the certificates go through the cluster without the key being in argv? Not with v1beta1: it has no field for it. */
export function canUploadCertificates(api: KubeadmApi): boolean {
  return api !== 'v1beta1';
}

export function initCommand(v: Version, upload: boolean): readonly string[] {
  return [
    'kubeadm',
    'init',
    '--config',
    initConfigPath,
    ...(upload ? [flagsOf(v).uploadCerts, '--skip-certificate-key-print'] : []),
    '--skip-token-print',
  ];
}

/** The CA alone, which init takes as it is. */
export function caCommand(): readonly string[] {
  return ['kubeadm', 'init', 'phase', 'certs', 'ca', '--config', caConfigPath];
}

/** The role is in the file (`controlPlane:`), so that nothing else but its path is in argv. */
export function joinCommand(): readonly string[] {
  return ['kubeadm', 'join', '--config', joinConfigPath];
}

export function credentialCommands(v: Version, upload: boolean): readonly (readonly string[])[] {
  const config = ['--config', credentialsConfigPath];
  return [
    ['kubeadm', 'token', 'create', ...config],
    ...(upload
      ? [
          [
            'kubeadm',
            'init',
            'phase',
            'upload-certs',
            flagsOf(v).uploadCerts,
            '--skip-certificate-key-print',
            ...config,
          ],
        ]
      : []),
  ];
}

/**
 * What `kubeadm init` does after its apiserver runs, phase by phase, from the configuration of init itself. Each may be
 * repeated at any time.
 */
export function lastInitPhases(
  v: Version,
  opts: { readonly upload: boolean; readonly addons: readonly string[] },
): readonly (readonly string[])[] {
  const phase = (...args: readonly string[]) => [
    'kubeadm',
    'init',
    'phase',
    ...args,
    '--config',
    credentialsConfigPath,
  ];
  return [
    phase('upload-config', 'all'),
    ...(opts.upload ? [phase('upload-certs', flagsOf(v).uploadCerts, '--skip-certificate-key-print')] : []),
    phase('mark-control-plane'),
    phase('bootstrap-token'),
    ...(atLeast(v, 1, 18) ? [phase('kubelet-finalize', 'all')] : []),
    ...opts.addons.map((addon) => phase('addon', addon)),
  ];
}

/** `kubeadm reset` that asks nothing. */
export function resetCommand(): readonly string[] {
  return ['kubeadm', 'reset', '--force'];
}

/** What a joining master needs of the leader when it is copied and not uploaded. */
export const sharedCertificates: readonly string[] = [
  '/etc/kubernetes/pki/ca.crt',
  '/etc/kubernetes/pki/ca.key',
  '/etc/kubernetes/pki/sa.key',
  '/etc/kubernetes/pki/sa.pub',
  '/etc/kubernetes/pki/front-proxy-ca.crt',
  '/etc/kubernetes/pki/front-proxy-ca.key',
  '/etc/kubernetes/pki/etcd/ca.crt',
  '/etc/kubernetes/pki/etcd/ca.key',
];
