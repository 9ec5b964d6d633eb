import { imagesDocuments } from '../../render/kubeadm/documents.ts';
import { renderDocuments } from '../../render/kubeadm/yaml.ts';
import { missingFiles } from '../bundle.ts';
import type { Phase, PlanContext } from '../context.ts';
import { estimates } from '../estimates.ts';

/** Written by the step itself: stops what it started and takes out the packages that it installed. */
export const uninstallBundle = ['sh', '/var/lib/hairpin/uninstall-bundle'] as const;

/** Brings programs and images to nodes that are not in the cluster yet, everywhere at once. */
export const prepare: Phase = {
  name: 'prepare',
  summary: 'bring programs and images to the nodes',
  plan(cx) {
    for (const { node, part } of cx.cluster.places) {
      if (cx.cluster.state(node) === 'member') continue;
      if (cx.spec.prepare.kind === 'bundle') fromBundle(cx, node.name, cx.spec.prepare.path);
      else if (part === 'follower') pullImages(cx, node.name);
    }
  },
};

function fromBundle(cx: PlanContext, node: string, path: string): void {
  // What an earlier run has installed is seen on the node; which images are there is not, and importImages looks itself.
  const missing = cx.bundle === undefined ? undefined : missingFiles(cx.bundle, cx.view.node(node).facts);
  if (missing?.length !== 0) installBundle(cx, node, path);
  cx.steps.add(node, 'prepare', {
    kind: 'import-images',
    slug: 'import-images',
    path,
    because: 'the node needs no network of its own for images',
    estimateMs: estimates.importImages,
    undo: { is: 'nothing', because: 'images stay; they do nothing by themselves' },
  });
}

function installBundle(cx: PlanContext, node: string, path: string): void {
  cx.steps.add(node, 'prepare', {
    kind: 'install-bundle',
    slug: 'install-bundle',
    path,
    because: 'the node needs no network of its own for programs',
    estimateMs: estimates.installBundle,
    undo: { is: 'run', argv: uninstallBundle },
  });
}

/** Followers have time while the leader initialises; the leader's own init pulls its images itself. */
function pullImages(cx: PlanContext, node: string): void {
  cx.steps.add(node, 'prepare', {
    kind: 'run',
    slug: 'pull-images',
    argv: ['sh', '-c', pullScript, 'pull-images'],
    stdin: renderDocuments(imagesDocuments(cx.spec)),
    timeoutMs: 900_000,
    okExitCodes: [0],
    because: 'images that are missing come while the leader initialises',
    estimateMs: estimates.pullImages,
    undo: { is: 'nothing', because: 'images stay; they do nothing by themselves' },
  });
}

// kubeadm pulls what is there already as well, which fails on nodes without a way out. Without ctr the join pulls itself.
const pullScript = `
config=/run/hairpin/kubeadm-images.yaml
mkdir -p /run/hairpin && cat >"$config" || exit 1
trap 'rm -f "$config"' EXIT
present=$(ctr -n k8s.io images list -q 2>/dev/null) || exit 0
wanted=$(kubeadm config images list --config "$config" 2>/dev/null) || exit 0
for image in $wanted; do
  printf '%s\\n' "$present" | grep -qxF "$image" || exec kubeadm config images pull --config "$config"
done
`;
