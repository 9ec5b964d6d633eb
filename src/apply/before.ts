import { dirname } from 'node:path';
import type { NodePort } from '../node/port.ts';
import type { Step } from '../plan/step.ts';
import { nodePaths } from './on-node.ts';

/** Directories that kubeadm, the kubelet and network plugins make; those that are missing now are ours to remove. */
const madeByKubernetes = [
  '/etc/kubernetes/manifests',
  '/etc/kubernetes/pki/etcd',
  '/etc/cni/net.d',
  '/opt/cni/bin',
  '/var/lib/kubelet',
  '/var/lib/etcd',
  '/var/lib/cni',
  '/var/log/pods',
  '/var/log/containers',
];

// Only what is noted before the first change says anything, so nothing is noted twice.
const keepScript = `
state=$1; shift
mkdir -p -m 755 -- "$state"
for dir in "$@"; do
  while [ -n "$dir" ] && [ ! -d "$dir" ]; do
    grep -qsxF -- "$dir" "$state/directories" || printf '%s\\n' "$dir" >>"$state/directories"
    dir=\${dir%/*}
  done
done
[ -e "$state/cni" ] || ls -A /etc/cni/net.d >"$state/cni" 2>/dev/null || :
`;

/** Notes on each node, before its first change, what is not there yet: `reset` removes what came after. */
export async function keepWhatWasBefore(steps: readonly Step[], nodes: ReadonlyMap<string, NodePort>): Promise<void> {
  const directories = new Map<string, Set<string>>();
  for (const step of steps) {
    if (step.kind === 'hold') continue;
    const ofNode = directories.get(step.node) ?? new Set(madeByKubernetes);
    if (step.kind === 'write-file') ofNode.add(dirname(step.path));
    directories.set(step.node, ofNode);
  }
  await Promise.all(
    [...directories].map(async ([name, paths]) => {
      await nodes.get(name)?.change(['sh', '-c', keepScript, 'hairpin-before', nodePaths.state, ...paths]);
    }),
  );
}
