/**
 * `npm run build`: one self-contained executable for each kind of machine, in dist/:
 *
 *     hairpin-linux-x64            the command line and the agent, with its own Node.js, without debug symbols
 *     hairpin-linux-x64.tar.gz     what goes to nodes: the executable and libatomic, which minimal systems lack
 *     program.json                 what they were made from, sizes and checksums
 *     SHA256SUMS
 *
 * `--arch x64,arm64` (default: both; one whose Node.js cannot be had is left out, with a line that says so). Does nothing
 * when dist/ is current. An executable for another kind of machine is built and cannot be run here.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, mkdir, mkdtemp, readFile, realpath, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { type BuildOptions, build as bundle, type Plugin } from 'esbuild';
import { withoutHugePages } from '../src/program/elf.ts';
import { programId } from '../src/program/identity.ts';
import { type Arch, type BuiltProgram, type Manifest, parseManifest } from '../src/program/manifest.ts';
import { packProgram } from '../src/program/pack.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
const { values } = parseArgs({ options: { arch: { type: 'string' } } });
const asked = values.arch?.split(',') as readonly Arch[] | undefined;
const id = await programId();

const there = parseManifest(await readFile(join(dist, 'program.json'), 'utf8').catch(() => ''));
const current = there?.id === id ? there.programs : [];
const wanted = (asked ?? (['x64', 'arm64'] as const)).filter((arch) => !current.some((p) => p.arch === arch));
if (wanted.length > 0) {
  await mkdir(dist, { recursive: true });
  const work = await mkdtemp(join(dist, '.build-'));
  try {
    const built: BuiltProgram[] = [...current];
    await bundles(work);
    for (const arch of wanted) {
      const start = performance.now();
      const program = await executable(arch, work).catch((error: unknown) => {
        if (arch === process.arch || asked !== undefined) throw error;
        console.log(`hairpin-linux-${arch}: left out; ${String(error).split('\n')[0]}`);
      });
      if (program === undefined) continue;
      built.push(program);
      const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
      const ran = arch === process.arch ? '' : ', not run: this machine is another';
      console.log(
        `dist/hairpin-linux-${arch}  ${mb(program.executable.size)}, packed ${mb(program.archive.size)}, ${((performance.now() - start) / 1000).toFixed(1)} s${ran}`,
      );
    }
    const manifest: Manifest = { id, programs: built.toSorted((a, b) => (a.arch < b.arch ? 1 : -1)) };
    const sums = manifest.programs.flatMap(({ arch, executable: exe, archive }) => [
      `${exe.sha256}  hairpin-linux-${arch}`,
      `${archive.sha256}  hairpin-linux-${arch}.tar.gz`,
    ]);
    await place(work, 'SHA256SUMS', `${sums.join('\n')}\n`);
    // Last of all: whoever sees it finds the rest.
    await place(work, 'program.json', `${JSON.stringify(manifest, undefined, 2)}\n`);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function place(work: string, name: string, text: string): Promise<void> {
  await writeFile(join(work, name), text);
  await rename(join(work, name), join(dist, name));
}

/**
 * Three bundles: the agent's verbs, which must start quickly and stay small; the command line; and what explains a bad
 * agent.json, with the libraries for it. The last two are kept as text and compiled only when they are asked for.
 */
async function bundles(work: string): Promise<void> {
  const common: BuildOptions = {
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'cjs',
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'warning',
    define: {
      HAIRPIN_PROGRAM_ID: JSON.stringify(id),
      'import.meta.url': 'hairpinUrl',
      'import.meta.dirname': '__dirname',
    },
    banner: { js: "const hairpinUrl='file:///';" },
  };
  const diagnose = join(root, 'src/agent/config/diagnose.ts');
  await bundle({
    ...common,
    entryPoints: [join(root, 'src/program/main.ts')],
    outfile: join(work, 'main.cjs'),
    plugins: [asAsset(diagnose, 'diagnose.cjs', 'diagnoseAgentConfig')],
  });
  await bundle({ ...common, entryPoints: [diagnose], outfile: join(work, 'diagnose.cjs') });
  await bundle({ ...common, entryPoints: [join(root, 'src/cli/executable.main.ts')], outfile: join(work, 'cli.cjs') });
}

/** A module that is not bundled but loaded from an asset of the executable when it is imported. */
function asAsset(path: string, name: string, exported: string): Plugin {
  const loader = JSON.stringify(join(root, 'src/program/asset.ts'));
  return {
    name: `${name} is an asset`,
    setup(build) {
      build.onLoad({ filter: new RegExp(`^${path.replaceAll('.', '\\.')}$`) }, () => ({
        contents: `import { loadAsset } from ${loader};\nexport const { ${exported} } = loadAsset(${JSON.stringify(name)}, 'hairpin-${name}');`,
        resolveDir: root,
        loader: 'js',
      }));
    },
  };
}

async function executable(arch: Arch, work: string): Promise<BuiltProgram> {
  const name = `hairpin-linux-${arch}`;
  const node = join(work, `node-${arch}`);
  await copyFile(arch === process.arch ? process.execPath : await nodeOf(arch), node);
  await chmod(node, 0o755);
  // 26 MB of symbols that nobody reads on a node. binutils of one kind of machine do not know the other.
  await run('strip', [node]).catch(() => undefined);
  const config = {
    // Relative: the path is in stack traces of every node.
    main: 'main.cjs',
    mainFormat: 'commonjs',
    executable: node,
    output: join(work, name),
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    // The agent runs with other flags than the command line (render/agent/units.ts), and code compiled for the one is refused, with a
    // warning, by the other. Both compile what little they need at once in 3 ms.
    useCodeCache: false,
    execArgvExtension: 'env',
    assets: { 'cli.cjs': join(work, 'cli.cjs'), 'diagnose.cjs': join(work, 'diagnose.cjs') },
  };
  await writeFile(join(work, 'sea.json'), JSON.stringify(config));
  await run(process.execPath, ['--build-sea=sea.json'], { cwd: work });
  await writeFile(join(work, name), withoutHugePages(await readFile(join(work, name))));
  const libraries = arch === process.arch ? [await libatomic()] : [];
  const archive = join(work, `${name}.tar.gz`);
  await packProgram({ executable: join(work, name), libraries: libraries.flatMap((l) => l ?? []) }, archive);
  const program: BuiltProgram = {
    arch,
    executable: await measure(join(work, name)),
    archive: await measure(archive),
    libraries: libraries.flatMap((l) => (l === undefined ? [] : [l.name])),
  };
  await rename(join(work, name), join(dist, name));
  await rename(archive, join(dist, `${name}.tar.gz`));
  return program;
}

/** The Node.js of another kind of machine, from the registry by npm, kept with the other things that can be made again. */
async function nodeOf(arch: Arch): Promise<string> {
  const cache = process.env.HAIRPIN_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hairpin');
  const version = process.versions.node;
  const dir = join(cache, 'node', `${version}-${arch}`);
  const found = join(dir, 'package/bin/node');
  if (await stat(found).catch(() => undefined)) return found;
  const part = `${dir}.${process.pid}`;
  await mkdir(part, { recursive: true });
  try {
    const packed = await run('npm', ['pack', '--silent', '--pack-destination', part, `node-linux-${arch}@${version}`]);
    await run('tar', ['-xzf', join(part, packed.stdout.trim()), '-C', part, 'package/bin/node']);
    await rename(part, dir);
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  return found;
}

/** Node.js needs it and a minimal system does not have it; this machine runs Node.js, so it is here. */
async function libatomic(): Promise<{ readonly name: string; readonly path: string } | undefined> {
  const { stdout } = await run('ldd', [process.execPath]).catch(() => ({ stdout: '' }));
  const path = /libatomic\.so\.1 => (\S+)/.exec(stdout)?.[1];
  return path === undefined ? undefined : { name: 'libatomic.so.1', path: await realpath(path) };
}

async function measure(path: string): Promise<{ readonly sha256: string; readonly size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 }) as AsyncIterable<Buffer>) {
    hash.update(chunk);
    size += chunk.length;
  }
  return { sha256: hash.digest('hex'), size };
}
