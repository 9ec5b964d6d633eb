import type { Spec } from '../spec/spec.ts';

/** Whether kubeadm installs this addon: users leave it out by `skipPhases`, or (since v1beta4) by `disabled`. */
export function hasAddon(spec: Spec, addon: 'kube-proxy' | 'coredns'): boolean {
  return !spec.kubeadm.documents.some((document) => {
    const { skipPhases, proxy, dns } = document as Readonly<Record<string, unknown>>;
    if (Array.isArray(skipPhases) && (skipPhases.includes('addon') || skipPhases.includes(`addon/${addon}`)))
      return true;
    const section = addon === 'kube-proxy' ? proxy : dns;
    return typeof section === 'object' && section !== null && 'disabled' in section && section.disabled === true;
  });
}
