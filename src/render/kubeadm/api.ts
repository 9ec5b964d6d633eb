import type { KubeadmDocument } from '../../spec/spec.ts';
import { atLeast, type Version } from '../../std/version.ts';

/** Versions of kubeadm's configuration API, oldest first. */
export const kubeadmApis = ['v1beta1', 'v1beta2', 'v1beta3', 'v1beta4', 'v1'] as const;
export type KubeadmApi = (typeof kubeadmApis)[number];

/** What each kubeadm reads (`validateSupportedVersion` in its source); the last one is what it writes. */
export function apisReadBy(v: Version): readonly KubeadmApi[] {
  if (!atLeast(v, 1, 15)) return ['v1beta1'];
  if (!atLeast(v, 1, 22)) return ['v1beta1', 'v1beta2'];
  if (!atLeast(v, 1, 27)) return ['v1beta2', 'v1beta3'];
  if (!atLeast(v, 1, 31)) return ['v1beta3'];
  if (!atLeast(v, 1, 37)) return ['v1beta3', 'v1beta4'];
  // 1.37 knows v1 too, as an experimental API that `config validate` takes with --allow-experimental-api and `init` never does.
  if (!atLeast(v, 1, 38)) return ['v1beta4'];
  return ['v1beta4', 'v1'];
}

/**
 * The API version to write for this kubeadm. v1beta4 stays the choice where v1 exists beside it: the two differ in one
 * optional field, and v1beta4 has been read by real kubeadms of seven minors. Users' own documents decide otherwise.
 */
export function kubeadmApiFor(v: Version, documents: readonly KubeadmDocument[] = []): KubeadmApi {
  const read = apisReadBy(v);
  const asked = documents.map(apiOf).find((api) => api !== undefined && read.includes(api));
  if (asked !== undefined) return asked;
  return read.includes('v1beta4') ? 'v1beta4' : (read.at(-1) ?? 'v1beta4');
}

export function isKubeadmDocument(document: KubeadmDocument): boolean {
  return document.apiVersion.startsWith('kubeadm.k8s.io/');
}

/** `undefined` for kubelet and kube-proxy documents and for API versions that nobody knows. */
export function apiOf(document: KubeadmDocument): KubeadmApi | undefined {
  if (!isKubeadmDocument(document)) return undefined;
  return kubeadmApis.find((api) => document.apiVersion === `kubeadm.k8s.io/${api}`);
}

export interface DocumentProblem {
  readonly code: 'KUBEADM_DOCUMENT_API' | 'KUBEADM_DOCUMENT_KIND';
  readonly index: number;
  readonly problem: string;
  readonly expected: string;
}

const kinds = new Map<string, readonly string[]>([
  ['kubeadm.k8s.io', ['InitConfiguration', 'ClusterConfiguration', 'JoinConfiguration']],
  ['kubelet.config.k8s.io', ['KubeletConfiguration']],
  ['kubeproxy.config.k8s.io', ['KubeProxyConfiguration']],
]);

/** What is wrong with users' documents for this version: kubeadm would refuse them or not look at them. */
export function documentProblems(v: Version, documents: readonly KubeadmDocument[]): readonly DocumentProblem[] {
  const read = apisReadBy(v);
  const chosen = kubeadmApiFor(v, documents);
  return documents.flatMap((document, index): readonly DocumentProblem[] => {
    const group = document.apiVersion.split('/')[0] ?? '';
    const known = kinds.get(group);
    if (known?.includes(document.kind) !== true) {
      const all = [...kinds].map(([name, list]) => `${list.join(', ')} (${name})`).join('; ');
      const problem = `${document.kind} of ${document.apiVersion} is not a document that kubeadm init or join reads`;
      return [{ code: 'KUBEADM_DOCUMENT_KIND', index, problem, expected: all }];
    }
    if (!isKubeadmDocument(document) || apiOf(document) === chosen) return [];
    const problem = `kubeadm ${v.text} does not read ${document.apiVersion} together with kubeadm.k8s.io/${chosen}`;
    const expected = read.map((api) => `kubeadm.k8s.io/${api}`).join(' or ');
    return [{ code: 'KUBEADM_DOCUMENT_API', index, problem, expected }];
  });
}
