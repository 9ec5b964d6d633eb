import { createHash } from 'node:crypto';
import { chown, link, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bundledPrograms as programs } from '../../bundle/node-files.ts';
import type { Emit } from '../../report/event.ts';
import type { Artefacts } from '../artefacts/artefacts.ts';
import { takeLock } from '../cache/lock.ts';
import { cacheDir } from '../paths.ts';
import { copyTree } from './copy-tree.ts';
import { hiddenPackages, hidePackages } from './hide-packages.ts';
import { bareNodeFiles, enabledUnits, maskedUnits, type NodeFile, nodeFiles, people } from './node-files.ts';

/** Raised when hide-packages.ts hides more of the same packages. */
const bareRevision = '2';

/**
 * The read-only layer between the base and a node: one Kubernetes version, installed and configured. All nodes of all
 * labs with that version share it, so it costs its files once, on the disk and in the page cache. `bare` gives one in which
 * nothing of Kubernetes is installed, and none of the packages that Kubernetes needs.
 */
export async function ensureNodeLayer(
  baseRootfs: string,
  artefacts: Artefacts,
  opts: { emit: Emit; signal: AbortSignal; cache?: string; bare?: boolean },
): Promise<string> {
  const bare = opts.bare === true;
  const facts = { pauseImage: pauseOf(artefacts) };
  const files = [...(bare ? bareNodeFiles(facts) : nodeFiles(facts)), ...(await accounts(baseRootfs))];
  const id = `${bare ? 'bare-' : ''}${layerId(artefacts, files, bare)}`;
  const root = join(opts.cache ?? cacheDir(), 'layers');
  const layer = join(root, id);
  if (await exists(layer)) return layer;
  await using _lock = await takeLock(join(root, 'lock'), `make the layer ${id}`, opts);
  if (await exists(layer)) return layer;
  const making = join(root, `.making-${id}`);
  await rm(making, { recursive: true, force: true });
  for (const file of files) await put(making, file);
  if (!bare) for (const [name, path] of programs) await share(artefacts.binaries[name], join(making, path));
  const units = enabledUnits.filter(([, unit]) => !bare || unit.includes('hairpin-lab'));
  for (const [target, unit] of units) await wants(making, target, unit);
  for (const unit of maskedUnits) await symlink('/dev/null', join(making, 'etc/systemd/system', unit));
  for (const { name, uid } of people) {
    await mkdir(join(making, 'home', name), { recursive: true, mode: 0o700 });
    await chown(join(making, 'home', name), uid, uid);
  }
  if (bare) {
    await hidePackages(baseRootfs, making, hiddenPackages);
  } else {
    await mkdir(join(making, 'etc/kubernetes/manifests'), { recursive: true });
    await mkdir(join(making, 'opt/cni'), { recursive: true });
    await symlink('/usr/lib/cni', join(making, 'opt/cni/bin'));
  }
  await rename(making, layer);
  return layer;
}

/** The sandbox image of this version, as `kubeadm config images list` names it. */
function pauseOf(artefacts: Artefacts): string {
  const image = artefacts.images.find(({ ref }) => /\/pause:/.test(ref));
  if (image === undefined) throw new RangeError(`The artefacts of ${artefacts.version} have no pause image`);
  return image.ref;
}

/** The base's own accounts and the lab's people. */
async function accounts(baseRootfs: string): Promise<readonly NodeFile[]> {
  const extend = async (
    path: string,
    mode: number,
    line: (p: (typeof people)[number]) => string,
  ): Promise<NodeFile> => {
    const before = await readFile(join(baseRootfs, path), 'utf8');
    return { path, mode, content: before + people.map((p) => `${line(p)}\n`).join('') };
  };
  return await Promise.all([
    extend('/etc/passwd', 0o644, ({ name, uid }) => `${name}:x:${uid}:${uid}::/home/${name}:/bin/bash`),
    extend('/etc/group', 0o644, ({ name, uid }) => `${name}:x:${uid}:`),
    extend('/etc/shadow', 0o640, ({ name, hash }) => `${name}:${hash}:19000:0:99999:7:::`),
  ]);
}

function layerId(artefacts: Artefacts, files: readonly NodeFile[], bare: boolean): string {
  const sums = bare ? [bareRevision, ...hiddenPackages] : programs.map(([name]) => artefacts.checksums[`bin/${name}`]);
  const hash = createHash('sha256').update(JSON.stringify([programs, enabledUnits, maskedUnits, people, sums, files]));
  return `${artefacts.version}-${artefacts.arch}-${hash.digest('hex').slice(0, 12)}`;
}

async function put(root: string, file: NodeFile): Promise<void> {
  const path = join(root, file.path);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, file.content, { mode: file.mode });
}

/** A second name for the same file where that is possible, a copy otherwise. */
async function share(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await link(from, to).catch(() => copyTree(from, to));
}

async function wants(root: string, target: string, unit: string): Promise<void> {
  const dir = join(root, 'etc/systemd/system', `${target}.wants`);
  await mkdir(dir, { recursive: true });
  await symlink(unit, join(dir, unit.slice(unit.lastIndexOf('/') + 1)));
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
