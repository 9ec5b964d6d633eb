import { mkdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { runTool } from '../cache/process.ts';
import { formatBytes } from '../cache/space.ts';
import { sha256 } from './manifest.ts';
import { type ReleaseAsset, type ReleaseSites, releaseAsset } from './release-assets.ts';
import type { Source } from './source.ts';

/**
 * Binaries as their projects publish them, each compared with the published checksum. `undefined` where the site of
 * Kubernetes itself cannot be reached; a site of another project that cannot is passed over for that project alone.
 *
 * curl and not our own HTTP: it knows the proxies and certificate authorities of the machine it is on.
 */
export async function releaseSource(opts: {
  readonly sites: ReleaseSites;
  readonly arch: string;
  readonly signal: AbortSignal;
}): Promise<Source | undefined> {
  const { sites, arch, signal } = opts;
  if (!(await siteAnswers(sites, signal))) return undefined;
  const archives = new Map<string, Promise<string>>();
  return {
    name: sites.kubernetes,
    versions: async () => undefined,
    async has(component, version) {
      const asset = releaseAsset(component, version, arch, sites);
      return asset !== undefined && (await curl(['--head', '--max-time', '10', asset.sums], signal)) === 0;
    },
    async produce({ binary, version }, path, say) {
      const asset = releaseAsset(binary.component, version, arch, sites, binary.name);
      if (asset === undefined || (await curl(['--head', '--max-time', '10', asset.sums], signal)) !== 0)
        return undefined;
      if (asset.member === undefined) {
        await download(asset, path, say, signal);
      } else {
        const archive = join(dirname(path), basename(asset.url));
        const fetched = archives.get(asset.url) ?? download(asset, archive, say, signal).then(() => archive);
        archives.set(asset.url, fetched);
        await extract(await fetched, asset.member, path, signal);
      }
      return { source: `fetched from ${new URL(asset.url).host}` };
    },
  };
}

/** Asks for seconds at most; a lab that cannot fetch should not wait for it. */
export async function siteAnswers(sites: ReleaseSites, signal: AbortSignal): Promise<boolean> {
  const code = await curl(['--head', '--max-time', '4', `${sites.kubernetes}/release/stable.txt`], signal);
  // 22 is an answer that says no, so the site is there: a mirror need not have this file.
  return code === 0 || code === 22;
}

async function download(asset: ReleaseAsset, path: string, say: (text: string) => void, signal: AbortSignal) {
  const sums = `${path}.sums`;
  await fetchTo(asset.sums, sums, signal);
  const published = publishedSum(await readFile(sums, 'utf8'), basename(asset.url));
  await rm(sums, { force: true });
  if (published === undefined)
    throw new OperatorError('ARTEFACT_CORRUPT', `${asset.sums} has no checksum for ${basename(asset.url)}`);
  const watch = setInterval(() => {
    stat(path).then(
      ({ size }) => say(`fetched ${formatBytes(size)}`),
      () => undefined,
    );
  }, 500);
  try {
    await fetchTo(asset.url, path, signal);
  } finally {
    clearInterval(watch);
  }
  const got = await sha256(path);
  if (got === published) return;
  await rm(path, { force: true });
  throw new OperatorError('ARTEFACT_CORRUPT', `${asset.url} is not what its publisher says`, {
    cause: `sha256 ${got}, published ${published}`,
    hint: 'try again; if it stays so, something on the way changes downloads',
  });
}

/** Reads a bare checksum, or the line of `file` in the output of sha256sum. */
export function publishedSum(text: string, file: string): string | undefined {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+\*?/));
  const own = lines.find(([, name]) => name === file || name?.endsWith(`/${file}`) === true)?.[0];
  const bare = lines.find((words) => words.length === 1)?.[0];
  return [own, bare].find((sum) => sum !== undefined && /^[0-9a-f]{64}$/.test(sum));
}

async function extract(archive: string, member: string, path: string, signal: AbortSignal): Promise<void> {
  const dir = `${path}.from-archive`;
  await mkdir(dir, { recursive: true });
  await runTool(['tar', '--extract', '--gzip', '--no-same-owner', `--file=${archive}`, `--directory=${dir}`, member], {
    signal,
    fails: { code: 'ARTEFACT_CORRUPT', message: `Cannot take ${member} out of ${basename(archive)}` },
  });
  await rename(join(dir, member), path);
  await rm(dir, { recursive: true, force: true });
}

async function fetchTo(url: string, path: string, signal: AbortSignal): Promise<void> {
  const code = await curl(
    ['--retry', '3', '--speed-time', '30', '--speed-limit', '1000', '--output', path, url],
    signal,
  );
  if (code === 0) return;
  // 23 is curl's "write error".
  if (code === 23) throw new OperatorError('NO_SPACE', `Cannot write ${path}`, { hint: 'free some space' });
  throw new OperatorError('ARTEFACT_NO_SOURCE', `Cannot fetch ${url}`, { cause: `curl ended with code ${code}` });
}

async function curl(args: readonly string[], signal: AbortSignal): Promise<number> {
  const argv = ['curl', '--fail', '--silent', '--show-error', '--location', '--connect-timeout', '3', ...args];
  return (await runTool(argv, { signal, fails: undefined })).exitCode;
}
