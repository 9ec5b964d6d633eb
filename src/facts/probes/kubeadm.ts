import { lines, type Probe, sections } from '../probe.ts';
import type { KubeadmPhase, KubeadmState, StaticPod } from '../types.ts';
import { yamlData } from '../yaml-data.ts';

const paths = [
  '/etc/kubernetes/admin.conf',
  '/etc/kubernetes/super-admin.conf',
  '/etc/kubernetes/kubelet.conf',
  '/etc/kubernetes/bootstrap-kubelet.conf',
  '/etc/kubernetes/controller-manager.conf',
  '/etc/kubernetes/scheduler.conf',
  '/etc/kubernetes/pki/ca.crt',
  '/etc/kubernetes/pki/ca.key',
  '/etc/kubernetes/pki/apiserver.crt',
  '/etc/kubernetes/pki/etcd/ca.crt',
  '/etc/kubernetes/manifests/kube-apiserver.yaml',
  '/etc/kubernetes/manifests/kube-controller-manager.yaml',
  '/etc/kubernetes/manifests/kube-scheduler.yaml',
  '/etc/kubernetes/manifests/etcd.yaml',
  '/var/lib/kubelet/config.yaml',
  '/var/lib/kubelet/kubeadm-flags.env',
  '/var/lib/kubelet/pki/kubelet-client-current.pem',
];

/** What is on the disk. Whether the later phases of `init` were done is the API's to say (the `api` probe). */
export const kubeadm: Probe<KubeadmState> = {
  script: () => `
echo @present
for f in ${paths.join(' ')}; do [ -e "$f" ] && echo "$f"; done
echo @etcd
if [ -d /var/lib/etcd/member ]; then ls -A /var/lib/etcd/member; fi
for f in /etc/kubernetes/manifests/*.yaml; do
  [ -f "$f" ] && echo "@manifest $f" && cat "$f" && echo
done
:`,

  parse(text) {
    const all = sections(text);
    const of = (title: string) => lines(all.find((section) => section.title === title)?.body ?? '');
    const present = of('present');
    const etcdData = of('etcd').length > 0;
    const staticPods = all.flatMap(({ title, body }) =>
      title.startsWith('manifest ') ? staticPod(title.slice('manifest /etc/kubernetes/manifests/'.length), body) : [],
    );
    const kubeletConfigured =
      present.includes('/var/lib/kubelet/config.yaml') && present.includes('/var/lib/kubelet/kubeadm-flags.env');
    return { ...kubeadmPhase(new Set(present), etcdData), present, staticPods, etcdData, kubeletConfigured };
  },
};

/**
 * Reads the order in which kubeadm makes things. `init`: certificates, kubeconfigs, etcd and the other manifests, then
 * the kubelet starts. `join` of a master: CA certificates, its own ones, kubeconfigs, kubelet with a bootstrap
 * kubeconfig (removed once the kubelet has a certificate), manifests last. Only `init` makes a CA key before a kubelet
 * certificate is there.
 */
export function kubeadmPhase(
  present: ReadonlySet<string>,
  etcdData: boolean,
): { phase: KubeadmPhase; because: string } {
  const has = (path: string) => present.has(path);
  const manifests = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map(
    (name) => `/etc/kubernetes/manifests/${name}.yaml`,
  );
  const missing = [
    ...manifests,
    '/etc/kubernetes/admin.conf',
    '/etc/kubernetes/kubelet.conf',
    '/var/lib/kubelet/config.yaml',
    '/etc/kubernetes/pki/apiserver.crt',
  ].filter((path) => !has(path));
  const anyManifest = manifests.some(has) || has('/etc/kubernetes/manifests/etcd.yaml');
  const joined = has('/etc/kubernetes/kubelet.conf') && has('/var/lib/kubelet/pki/kubelet-client-current.pem');
  if (present.size === 0 && !etcdData) return { phase: 'nothing', because: 'none of the files of kubeadm is there' };
  // Made before init, so that others can be given its certificate; init takes it as it is.
  if (!etcdData && present.size === 2 && has('/etc/kubernetes/pki/ca.crt') && has('/etc/kubernetes/pki/ca.key')) {
    return { phase: 'nothing', because: 'nothing of kubeadm is there but the CA' };
  }
  if (has('/etc/kubernetes/bootstrap-kubelet.conf')) {
    return {
      phase: 'half-join',
      because: 'bootstrap-kubelet.conf is still there: the kubelet never got its certificate',
    };
  }
  if (missing.length === 0 && joined) return { phase: 'control-plane', because: 'all files of a master are there' };
  if (!anyManifest && joined && !has('/etc/kubernetes/pki/apiserver.crt') && !etcdData) {
    return { phase: 'worker', because: 'kubelet.conf and the kubelet certificate are there, and nothing of a master' };
  }
  const lacks = `${missing.length === 0 ? 'the kubelet certificate is' : `${missing.join(', ')} ${missing.length === 1 ? 'is' : 'are'}`} missing`;
  if (has('/etc/kubernetes/pki/apiserver.crt') || anyManifest || etcdData) {
    // A joining master has a kubelet certificate before its first manifest; the first master never has it the other way round.
    return joined && !manifests.every(has)
      ? { phase: 'half-join', because: `joined as a node, but ${lacks}` }
      : { phase: 'half-init', because: lacks };
  }
  return { phase: 'half-join', because: lacks };
}

function staticPod(file: string, manifest: string): StaticPod[] {
  const pod = yamlData(manifest) as {
    spec?: { containers?: { image?: string; command?: string[]; args?: string[] }[] };
  } | null;
  const container = pod?.spec?.containers?.[0];
  const flags = [...(container?.command ?? []), ...(container?.args ?? [])]
    .filter((word) => typeof word === 'string' && word.startsWith('--'))
    .map((word): [string, string] => {
      const equals = word.indexOf('=');
      return equals === -1 ? [word.slice(2), 'true'] : [word.slice(2, equals), word.slice(equals + 1)];
    });
  return [{ name: file.replace(/\.yaml$/, ''), image: container?.image, flags: Object.fromEntries(flags) }];
}
