import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import type { Emit } from '../../report/event.ts';
import { takeLock } from '../cache/lock.ts';
import { runTool } from '../cache/process.ts';
import { requireSpace } from '../cache/space.ts';
import { type Progress, timedTask } from '../cache/timed-task.ts';
import { writeAtomic } from '../cache/write-atomic.ts';
import { cacheDir } from '../paths.ts';
import { type AptHost, readAptHost } from './apt-host.ts';
import { type BaseRecipe, baseId, baseRecipe } from './base-recipe.ts';
import { prepareSecondStage, settleBase } from './base-settle.ts';

/** The root file system that every node of the lab is an overlay of. Never written to once it is there. */
export interface Base {
  readonly rootfs: string;
  readonly id: string;
}

/** Measured on 2 cores with a mirror near by; slower lines only make the estimate wrong. */
const estimate = 60_000;
const needBytes = 2_500_000_000;

/**
 * Gives the base image, building it first where it is not there yet.
 *
 * It is built in a directory of its own and renamed when it is whole, so a directory with the final name is always
 * usable. A killed build costs only its unpacking: packages that were fetched are kept.
 */
export async function ensureBase(opts: { emit: Emit; signal: AbortSignal; cache?: string }): Promise<Base> {
  const root = join(opts.cache ?? cacheDir(), 'base');
  const host = await readAptHost();
  const recipe = baseRecipe(host.suite, host.arch, host.mirror.components);
  const id = baseId(recipe);
  const base = { rootfs: join(root, id, 'rootfs'), id };
  if (await isThere(join(root, id, 'base.json'))) return base;
  await using _lock = await takeLock(join(root, 'lock'), `build the base image ${id}`, opts);
  if (await isThere(join(root, id, 'base.json'))) return base;
  await requireRoot();
  await requireSpace(root, needBytes, 'the base image');
  await timedTask(
    opts.emit,
    { task: 'base', title: `base image (${recipe.suite})`, estimate },
    (progress) => build(root, recipe, host, opts.signal, progress),
    (result) => `${result.packages} packages`,
  );
  return base;
}

async function build(root: string, recipe: BaseRecipe, host: AptHost, signal: AbortSignal, progress: Progress) {
  const id = baseId(recipe);
  const making = join(root, `.making-${id}`);
  const rootfs = join(making, 'rootfs');
  await removeTree(making);
  await mkdir(rootfs, { recursive: true });
  await mkdir(join(root, 'debs'), { recursive: true });
  const start = performance.now();
  const seen = counter(recipe, progress);
  const run = (argv: readonly string[]) =>
    runTool(argv, {
      signal,
      ownMounts: true,
      env: { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C', ...host.proxy },
      onLine: seen.line,
      fails: {
        code: 'BASE_BUILD_FAILED',
        message: `Cannot build the base image from ${host.shownMirror}`,
        hint: 'look at the last lines above; `apt-get update` on this machine tells whether the mirror answers',
      },
    });
  try {
    await run(debootstrapArgv(recipe, host, join(root, 'debs'), rootfs));
    await prepareSecondStage(rootfs);
    await run(['chroot', rootfs, '/debootstrap/debootstrap', '--second-stage']);
    progress('settling');
    await settleBase(rootfs, recipe);
    const ms = Math.round(performance.now() - start);
    const about = { id, recipe, packages: seen.packages(), ms, madeAt: new Date().toISOString() };
    await writeAtomic(join(making, 'base.json'), `${JSON.stringify(about, undefined, 2)}\n`);
    await rename(making, join(root, id));
    return { packages: seen.packages() };
  } catch (error) {
    await removeTree(making);
    throw error;
  }
}

function debootstrapArgv(recipe: BaseRecipe, host: AptHost, debs: string, rootfs: string): readonly string[] {
  const { mirror } = host;
  return [
    'debootstrap',
    '--foreign',
    '--variant=minbase',
    `--arch=${recipe.arch}`,
    `--components=${recipe.components.join(',')}`,
    `--include=${recipe.packages.join(',')}`,
    `--cache-dir=${debs}`,
    ...(mirror.trusted ? ['--no-check-gpg'] : mirror.signedBy === undefined ? [] : [`--keyring=${mirror.signedBy}`]),
    recipe.suite,
    rootfs,
    mirror.uri,
  ];
}

/** Reads debootstrap's chatter. Each package is retrieved, extracted or unpacked, and configured. */
function counter(recipe: BaseRecipe, progress: Progress) {
  const names = new Set<string>();
  let steps = 0;
  const line = (text: string) => {
    const match = /^I: (Retrieving|Validating|Extracting|Unpacking|Configuring) ([a-z0-9][a-z0-9+-]*)/.exec(text);
    if (match?.[1] === undefined || match[2] === undefined) return;
    if (match[1] === 'Configuring') names.add(match[2]);
    steps += 1;
    // 36 steps for each package asked for, dependencies included, as counted in builds for bookworm.
    progress(`${match[1].toLowerCase()} ${match[2]}`, steps, Math.max(steps, recipe.packages.length * 36));
  };
  return { line, packages: () => names.size };
}

/** Refuses to remove a tree in which something is mounted: `rm` would go on inside the mount. */
async function removeTree(dir: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => line.split(' ')[4] ?? '');
  const inside = mounts.find((path) => path === dir || path.startsWith(`${dir}/`));
  if (inside !== undefined)
    throw new OperatorError('BASE_BUILD_FAILED', `Cannot remove ${dir}: ${inside} is mounted in it`, {
      hint: `umount ${inside}`,
    });
  await rm(dir, { recursive: true, force: true });
}

async function requireRoot(): Promise<void> {
  if (process.geteuid?.() === 0) return;
  throw new OperatorError('HOST_UNFIT', 'The base image can only be built by root', {
    hint: 'run the command with sudo',
  });
}

async function isThere(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
