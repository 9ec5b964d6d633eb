import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type BundleParts, packBundle } from '../../../src/bundle/pack.ts';
import { manifestOfBytes, readBundleManifest, verifyBundle } from '../../../src/bundle/read.ts';

let dir: string;
const signal = new AbortController().signal;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-bundle-'));
  await writeFile(join(dir, 'kubeadm'), Buffer.alloc(70_000, 'k'));
  await writeFile(join(dir, 'pause.tar'), Buffer.alloc(512, 'p'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const longPath = `/opt/${'deep/'.repeat(15)}${'n'.repeat(60)}`;
const parts = (): BundleParts => ({
  version: 'v1.37.2',
  arch: 'amd64',
  suite: 'bookworm',
  madeBy: 'hairpin test',
  files: [
    { path: '/usr/bin/kubeadm', mode: 0o755, content: { from: join(dir, 'kubeadm') } },
    { path: '/etc/crictl.yaml', mode: 0o644, content: { text: 'runtime-endpoint: x\n' } },
    { path: '/etc/empty', mode: 0o600, content: { text: '' } },
    { path: longPath, mode: 0o644, content: { text: 'far away' } },
  ],
  images: [{ ref: 'registry.k8s.io/pause:3.10', file: 'pause.tar', from: join(dir, 'pause.tar') }],
  packages: [
    { name: 'curl', version: '1:7.8~x+b1', file: 'curl_1%3a7.8~x+b1_amd64.deb', from: join(dir, 'pause.tar') },
  ],
  tools: ['kubeadm'],
});
const pack = (name: string) => packBundle(parts(), join(dir, name), { signal });

describe('a bundle', () => {
  test('is read back as it was packed, from the file and from memory', async () => {
    const { path, manifest, bytes } = await pack('a.tar.gz');
    expect(manifest.files.map(({ path: at, mode, size }) => [at, mode, size])).toEqual([
      ['/usr/bin/kubeadm', 0o755, 70_000],
      ['/etc/crictl.yaml', 0o644, 20],
      ['/etc/empty', 0o600, 0],
      [longPath, 0o644, 8],
    ]);
    const whole = await readFile(path);
    expect(whole.length).toBe(bytes);
    expect(await readBundleManifest(path)).toEqual(manifest);
    expect(await manifestOfBytes(whole, path)).toEqual(manifest);
    expect(await verifyBundle(path)).toEqual(manifest);
  });

  test('has the same bytes when it is packed again', async () => {
    const [a, b] = [await pack('a.tar.gz'), await pack('b.tar.gz')];
    expect(b.sha256).toBe(a.sha256);
    expect(await readFile(b.path)).toEqual(await readFile(a.path));
  });

  test('is unpacked by tar and checked by sha256sum, as on a node', async () => {
    const { path } = await pack('a.tar.gz');
    const script = `mkdir "$1/out" && cd "$1/out" && tar -xzf "$2" && sha256sum --quiet --check SHA256SUMS && stat -c '%a %n' files/usr/bin/kubeadm files/etc/empty && cat files${longPath}`;
    const { stdout } = await promisify(execFile)('sh', ['-c', script, 'test', dir, path]);
    expect(stdout).toBe('755 files/usr/bin/kubeadm\n600 files/etc/empty\nfar away');
  });

  test('that was aborted leaves no file', async () => {
    const path = join(dir, 'aborted.tar.gz');
    const stopped = AbortSignal.abort();
    await expect(packBundle(parts(), path, { signal: stopped })).rejects.toMatchObject({ name: 'AbortError' });
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

/** Changes the archive under its compression. */
const tampered = async (change: (tar: Buffer) => Buffer) => {
  const { path } = await pack('bad.tar.gz');
  await writeFile(path, gzipSync(change(gunzipSync(await readFile(path)))));
  return path;
};
const replace = (tar: Buffer, from: string, to: string): Buffer => {
  const at = tar.indexOf(from);
  if (at === -1) throw new Error(`${from} is not in the archive`);
  const copy = Buffer.from(tar);
  copy.write(to, at);
  return copy;
};

describe('a bundle that was tampered with', () => {
  test.each([
    {
      name: 'a changed byte of a file',
      make: () => tampered((tar) => replace(tar, 'kkkk', 'kKkk')),
      why: 'files/usr/bin/kubeadm is not what its checksum says',
    },
    {
      name: 'a manifest with another checksum',
      make: () =>
        tampered((tar) => {
          const at = tar.indexOf('"sha256": "') + 11;
          const copy = Buffer.from(tar);
          copy.write('0'.repeat(64), at);
          return copy;
        }),
      why: 'its checksums are not those of its manifest',
    },
    {
      name: 'a file for a path outside of the root',
      make: () => tampered((tar) => replace(tar, '/etc/crictl.yaml', '/../crictl.yaml')),
      why: 'its manifest.json is not one that this hairpin understands',
    },
    {
      name: 'a header that does not add up',
      make: () => tampered((tar) => replace(tar, 'files/usr/bin/kubeadm\0', 'files/usr/bin/kubeadn\0')),
      why: 'it is not a tar archive of plain files',
    },
    {
      name: 'a member too many',
      make: () => tampered((tar) => Buffer.concat([tar.subarray(0, -1024), tar.subarray(0, 512), tar.subarray(-1024)])),
      why: 'it has more in it than its manifest says',
    },
    {
      name: 'a file that was cut short',
      make: async () => {
        const { path, bytes } = await pack('bad.tar.gz');
        await truncate(path, bytes - 40);
        return path;
      },
      why: 'Error: unexpected end of file',
    },
    {
      name: 'something else',
      make: async () => {
        const path = join(dir, 'other.tar.gz');
        await writeFile(path, 'no archive');
        return path;
      },
      why: 'Error: incorrect header check',
    },
  ])('$name', async ({ make, why }) => {
    await expect(verifyBundle(await make())).rejects.toMatchObject({ code: 'BUNDLE_DAMAGED', cause: why });
  });

  test('one that is not there says how to make it', async () => {
    await expect(readBundleManifest(join(dir, 'nothere'))).rejects.toMatchObject({
      code: 'FILE_MISSING',
      hint: 'make one: hairpin bundle create',
    });
  });
});
