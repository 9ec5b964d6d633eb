import type { NodeFacts } from '../facts/types.ts';
import type { PlanContext } from './context.ts';
import type { PlanBlocker } from './plan.ts';
import { known } from './view.ts';

/** What a plan has to know of a bundle; the manifest of one has it (src/bundle). */
export interface PlanBundle {
  readonly version: string;
  /** As Debian calls it: `amd64`. */
  readonly arch: string;
  readonly files: readonly { readonly path: string; readonly sha256: string; readonly size: number }[];
  readonly images: readonly { readonly size: number }[];
  readonly packages: readonly { readonly size: number }[];
  /** Programs that it brings. */
  readonly tools: readonly string[];
}

const archOf: Readonly<Record<string, string>> = { x86_64: 'amd64', aarch64: 'arm64' };

/** What the bundle brings that the node has not, or not so; empty when nothing has to be sent for programs. */
export function missingFiles(bundle: PlanBundle, facts: NodeFacts | undefined): readonly string[] {
  const files = known(facts?.files) ?? {};
  const tools = known(facts?.tools) ?? {};
  return [
    ...bundle.files.filter(({ path, sha256 }) => files[path]?.sha256 !== sha256).map(({ path }) => path),
    ...bundle.tools.filter((name) => !(name in tools)),
  ];
}

/** A bundle that does not fit is an error before anything is changed. */
export function bundleBlockers(cx: PlanContext): readonly PlanBlocker[] {
  const { spec, bundle } = cx;
  if (spec.prepare.kind !== 'bundle' || bundle === undefined) return [];
  const path = spec.prepare.path;
  const wanted = spec.kubernetes.version.text;
  const news = cx.cluster.places.map(({ node }) => node).filter((node) => cx.cluster.state(node) !== 'member');
  if (news.length === 0) return [];
  const version =
    bundle.version === wanted
      ? []
      : [
          {
            code: 'BUNDLE_VERSION',
            node: undefined,
            problem: `${path} has Kubernetes ${bundle.version}, the cluster is to be ${wanted}`,
            hint: `hairpin bundle create --kubernetes ${wanted} --bundle ${path}`,
          },
        ];
  return [
    ...version,
    ...news.flatMap(({ name }) => {
      const { facts } = cx.view.node(name);
      return facts === undefined ? [] : [...wrongArch(name, facts, bundle, path), ...noRoom(name, facts, bundle)];
    }),
  ];
}

function wrongArch(node: string, facts: NodeFacts, bundle: PlanBundle, path: string): readonly PlanBlocker[] {
  const machine = known(facts.os)?.machine;
  if (machine === undefined || (archOf[machine] ?? machine) === bundle.arch) return [];
  return [
    {
      code: 'BUNDLE_ARCH',
      node,
      problem: `${path} is for ${bundle.arch}, and ${node} is ${machine}`,
      hint: `run hairpin bundle create on a machine of that architecture`,
    },
  ];
}

const sum = (items: readonly { readonly size: number }[]) => items.reduce((total, { size }) => total + size, 0);

/** The archive and what is in it are on the node at once, and the programs a second time where they belong. */
function noRoom(node: string, facts: NodeFacts, bundle: PlanBundle): readonly PlanBlocker[] {
  if (missingFiles(bundle, facts).length === 0) return [];
  const [programs, images] = [sum(bundle.files) + sum(bundle.packages), sum(bundle.images)];
  // Of programs gzip leaves two fifths; images are imported and unpacked while their archives are still there.
  const wants: readonly (readonly [path: string, bytes: number])[] = [
    ['/var/lib/hairpin', 1.4 * (programs + images)],
    ['/var/lib/containerd', 1.5 * images],
  ];
  const byMount = new Map<string, { free: number; need: number }>();
  for (const [path, bytes] of wants) {
    const disk = known(facts.disks)?.find(
      (candidate) => candidate.path === path || path.startsWith(`${candidate.path}/`),
    );
    if (disk === undefined) continue;
    const before = byMount.get(disk.mount)?.need ?? 0;
    byMount.set(disk.mount, { free: disk.freeBytes, need: before + bytes });
  }
  return [...byMount]
    .filter(([, { free, need }]) => free < need)
    .map(([mount, { free, need }]) => ({
      code: 'DISK_FULL',
      node,
      problem: `${mount} on ${node} has ${Math.floor(free / 1e6)} MB free; the bundle needs ${Math.ceil(need / 1e6)} MB there`,
      hint: 'make room there',
    }));
}
