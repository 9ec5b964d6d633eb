import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { imageSpec } from '../../../../src/lab/artefacts/image-specs.ts';
import { writeImageTar } from '../../../../src/lab/artefacts/image-tar.ts';

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-image-'));
  await writeFile(join(dir, 'etcd'), 'etcd program');
  await writeFile(join(dir, 'etcdctl'), 'etcdctl program');
  await writeFile(join(dir, 'kube-proxy'), 'proxy program');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const signal = new AbortController().signal;
const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('hex');

async function entriesOf(tar: Uint8Array) {
  const found: { name: string; type: string; mode: number; link: string; data: Buffer }[] = [];
  for await (const entry of Readable.from([tar]).pipe(extract())) {
    const { name, type, mode, linkname } = entry.header;
    const data = Buffer.concat(await Array.fromAsync(entry as AsyncIterable<Buffer>));
    found.push({ name, type: type ?? '', mode: mode ?? 0, link: linkname ?? '', data });
  }
  return found;
}

test('writeImageTar() writes a docker-archive whose names and digests hold', async () => {
  const path = join(dir, 'etcd.tar');
  const spec = imageSpec('registry.k8s.io/etcd:3.7.0-0', 'amd64', (name) => join(dir, name), []);
  if (spec === undefined) throw new Error('no spec');
  await writeImageTar(spec, path, signal);

  const [config, layer, manifest] = await entriesOf(await readFile(path));
  if (config === undefined || layer === undefined || manifest === undefined) throw new Error('three entries wanted');
  expect(JSON.parse(manifest.data.toString())).toEqual([
    {
      Config: `${sha256(config.data)}.json`,
      RepoTags: ['registry.k8s.io/etcd:3.7.0-0'],
      Layers: [`${sha256(layer.data)}/layer.tar`],
    },
  ]);
  expect(JSON.parse(config.data.toString())).toMatchObject({
    architecture: 'amd64',
    os: 'linux',
    config: { Entrypoint: ['/usr/local/bin/etcd'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer.data)}`] },
  });
  const files = (await entriesOf(layer.data)).filter(({ type }) => type === 'file');
  expect(files.map(({ name, mode, data }) => [name, mode.toString(8), data.toString().split('\n')[0]])).toEqual([
    ['etc/passwd', '644', 'root:x:0:0:root:/:/sbin/nologin'],
    ['etc/group', '644', 'root:x:0:'],
    ['usr/local/bin/etcd', '755', 'etcd program'],
    ['usr/local/bin/etcdctl', '755', 'etcdctl program'],
  ]);
});

test('the same inputs give the same bytes', async () => {
  const spec = imageSpec('registry.k8s.io/etcd:3.7.0-0', 'amd64', (name) => join(dir, name), []);
  if (spec === undefined) throw new Error('no spec');
  await writeImageTar(spec, join(dir, 'a.tar'), signal);
  await writeImageTar(spec, join(dir, 'b.tar'), signal);
  expect(sha256(await readFile(join(dir, 'a.tar')))).toBe(sha256(await readFile(join(dir, 'b.tar'))));
});

test('tools go into the image of kube-proxy only', async () => {
  const tool = { kind: 'link', path: 'usr/sbin/iptables', target: 'xtables-nft-multi' } as const;
  const has = (ref: string) => imageSpec(ref, 'amd64', (name) => join(dir, name), [tool])?.layer.includes(tool);
  expect({ proxy: has('r/kube-proxy:v1'), etcd: has('r/etcd:3'), other: has('r/unknown:1') }).toEqual({
    proxy: true,
    etcd: false,
    other: undefined,
  });
});

test('a file that vanishes leaves no tar behind', async () => {
  const path = join(dir, 'broken.tar');
  const spec = imageSpec('registry.k8s.io/pause:3.10', 'amd64', () => join(dir, 'not-there'), []);
  if (spec === undefined) throw new Error('no spec');
  await expect(writeImageTar(spec, path, signal)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  await expect(readFile(`${path}.layer`)).rejects.toMatchObject({ code: 'ENOENT' });
});
