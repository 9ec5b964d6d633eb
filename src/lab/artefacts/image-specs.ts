import type { BinaryName } from './components.ts';
import { imageName } from './image-refs.ts';
import type { ImageSpec, LayerEntry } from './image-tar.ts';

/** Which binaries an image holds. kubeadm's manifests name the command of each but pause and CoreDNS. */
const contents: Readonly<Record<string, readonly BinaryName[]>> = {
  'kube-apiserver': ['kube-apiserver'],
  'kube-controller-manager': ['kube-controller-manager'],
  'kube-scheduler': ['kube-scheduler'],
  'kube-proxy': ['kube-proxy'],
  coredns: ['coredns'],
  pause: ['pause'],
  etcd: ['etcd', 'etcdctl'],
};

export function binariesOf(ref: string): readonly BinaryName[] | undefined {
  return contents[imageName(ref)];
}

/** `tools` are the programs that kube-proxy runs, from the base image. */
export function imageSpec(
  ref: string,
  arch: string,
  path: (name: BinaryName) => string,
  tools: readonly LayerEntry[],
): ImageSpec | undefined {
  const names = binariesOf(ref);
  const [main] = names ?? [];
  if (names === undefined || main === undefined) return undefined;
  // The published images keep these two at the root; both are started by their entry point alone.
  const home = main === 'coredns' || main === 'pause' ? '' : 'usr/local/bin/';
  return {
    ref,
    arch,
    entrypoint: [`/${home}${main}`],
    layer: [
      ...skeleton,
      ...(main === 'kube-proxy' ? tools : []),
      ...names.map((name): LayerEntry => ({ kind: 'file', path: `${home}${name}`, from: path(name), mode: 0o755 })),
    ],
  };
}

/** What programs expect of any system: user names, a place for temporary files, and Debian's merged /usr. */
const skeleton: readonly LayerEntry[] = [
  ...['etc', 'usr', 'usr/bin', 'usr/sbin', 'usr/lib', 'usr/lib64', 'usr/local', 'usr/local/bin', 'var', 'run'].map(
    (path): LayerEntry => ({ kind: 'directory', path, mode: 0o755 }),
  ),
  { kind: 'directory', path: 'tmp', mode: 0o1777 },
  ...['bin', 'sbin', 'lib', 'lib64'].map((path): LayerEntry => ({ kind: 'link', path, target: `usr/${path}` })),
  { kind: 'link', path: 'var/run', target: '/run' },
  {
    kind: 'text',
    path: 'etc/passwd',
    mode: 0o644,
    text: 'root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532::/:/sbin/nologin\n',
  },
  { kind: 'text', path: 'etc/group', mode: 0o644, text: 'root:x:0:\nnonroot:x:65532:\n' },
];
