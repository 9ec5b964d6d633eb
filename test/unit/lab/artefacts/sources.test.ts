import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { binaries } from '../../../../src/lab/artefacts/components.ts';
import { hostArch } from '../../../../src/lab/artefacts/host-arch.ts';
import { releaseAsset } from '../../../../src/lab/artefacts/release-assets.ts';
import type { Source } from '../../../../src/lab/artefacts/source.ts';
import { directorySource } from '../../../../src/lab/artefacts/source-directory.ts';
import { publishedSum, releaseSource } from '../../../../src/lab/artefacts/source-release.ts';
import { requireVersion } from '../../../../src/lab/artefacts/sources.ts';

const signal = new AbortController().signal;
const binary = (name: string) => {
  const found = binaries.find((one) => one.name === name);
  if (found === undefined) throw new Error(name);
  return found;
};
const sum = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-sources-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('releaseAsset()', () => {
  const sites = { kubernetes: 'https://k.example', github: 'https://g.example' };
  test.each([
    {
      component: 'kubernetes',
      version: 'v1.37.2',
      name: 'kubelet',
      member: undefined,
      url: 'https://k.example/release/v1.37.2/bin/linux/amd64/kubelet',
      sums: 'https://k.example/release/v1.37.2/bin/linux/amd64/kubelet.sha256',
    },
    {
      component: 'etcd',
      version: 'v3.7.0',
      name: 'etcdctl',
      member: 'etcd-v3.7.0-linux-amd64/etcdctl',
      url: 'https://g.example/etcd-io/etcd/releases/download/v3.7.0/etcd-v3.7.0-linux-amd64.tar.gz',
      sums: 'https://g.example/etcd-io/etcd/releases/download/v3.7.0/SHA256SUMS',
    },
    {
      component: 'coredns',
      version: 'v1.14.6',
      name: 'coredns',
      member: 'coredns',
      url: 'https://g.example/coredns/coredns/releases/download/v1.14.6/coredns_1.14.6_linux_amd64.tgz',
      sums: 'https://g.example/coredns/coredns/releases/download/v1.14.6/coredns_1.14.6_linux_amd64.tgz.sha256',
    },
    {
      component: 'containerd',
      version: 'v2.4.2',
      name: 'ctr',
      member: 'bin/ctr',
      url: 'https://g.example/containerd/containerd/releases/download/v2.4.2/containerd-static-2.4.2-linux-amd64.tar.gz',
      sums: 'https://g.example/containerd/containerd/releases/download/v2.4.2/containerd-static-2.4.2-linux-amd64.tar.gz.sha256sum',
    },
  ] as const)('$name is in $url', ({ component, version, name, ...asset }) => {
    expect(releaseAsset(component, version, 'amd64', sites, name)).toEqual(asset);
  });
});

describe('publishedSum()', () => {
  const a = 'a'.repeat(64);
  const b = 'b'.repeat(64);
  test.each([
    { name: 'a bare checksum', text: a, expected: a },
    { name: 'a bare checksum with a newline', text: `${a}\n`, expected: a },
    { name: 'the line of the file among others', text: `${b}  other.tgz\n${a}  x.tgz\n`, expected: a },
    { name: 'the line of the file below a path', text: `${b}  other.tgz\n${a} *release/x.tgz\n`, expected: a },
    { name: 'not the line of another file', text: `${b}  other.tgz\n`, expected: undefined },
    { name: 'not a page that says something else', text: '<html>Not Found</html>', expected: undefined },
  ])('reads $name', ({ text, expected }) => {
    expect(publishedSum(text, 'x.tgz')).toBe(expected);
  });
});

describe('releaseSource()', () => {
  const files = new Map<string, Uint8Array>();
  let server: Server;
  let site = '';
  beforeAll(async () => {
    server = createServer((request, response) => {
      const body = files.get(request.url ?? '');
      response.statusCode = body === undefined ? 404 : 200;
      response.end(request.method === 'HEAD' ? undefined : body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    site = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const publish = (path: string, data: Uint8Array, published = sum(data)) => {
      files.set(path, data);
      files.set(`${path}.sha256`, Buffer.from(published));
    };
    publish('/release/v1.37.2/bin/linux/amd64/kubeadm', Buffer.from('kubeadm'));
    publish('/release/v1.37.2/bin/linux/amd64/kubelet', Buffer.from('kubelet'), sum('something else'));
    await mkdir(join(dir, 'etcd-v3.7.0-linux-amd64'));
    await writeFile(join(dir, 'etcd-v3.7.0-linux-amd64/etcd'), 'etcd from the archive');
    await writeFile(join(dir, 'etcd-v3.7.0-linux-amd64/etcdctl'), 'etcdctl from the archive');
    const archive = join(dir, 'etcd.tar.gz');
    await execa('tar', ['-czf', archive, '-C', dir, 'etcd-v3.7.0-linux-amd64']);
    const data = await readFile(archive);
    const base = '/etcd-io/etcd/releases/download/v3.7.0';
    files.set(`${base}/etcd-v3.7.0-linux-amd64.tar.gz`, data);
    files.set(`${base}/SHA256SUMS`, Buffer.from(`${sum(data)}  etcd-v3.7.0-linux-amd64.tar.gz\n`));
  });
  afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())));

  const open = async (): Promise<Source> => {
    const source = await releaseSource({ sites: { kubernetes: site, github: site }, arch: 'amd64', signal });
    if (source === undefined) throw new Error('the site did not answer');
    return source;
  };

  test('fetches a program and compares its checksum', async () => {
    const path = join(dir, 'kubeadm');
    const produced = await (await open()).produce(
      { binary: binary('kubeadm'), version: 'v1.37.2' },
      path,
      () => undefined,
    );
    expect(produced).toEqual({ source: `fetched from ${new URL(site).host}` });
    expect(await readFile(path, 'utf8')).toBe('kubeadm');
  });

  test('takes programs out of an archive', async () => {
    const source = await open();
    for (const name of ['etcd', 'etcdctl']) {
      const path = join(dir, `from-archive-${name}`);
      await source.produce({ binary: binary(name), version: 'v3.7.0' }, path, () => undefined);
      expect(await readFile(path, 'utf8')).toBe(`${name} from the archive`);
    }
  });

  test('refuses what is not what its publisher says, and keeps nothing of it', async () => {
    const path = join(dir, 'kubelet');
    const fetched = (await open()).produce({ binary: binary('kubelet'), version: 'v1.37.2' }, path, () => undefined);
    await expect(fetched).rejects.toMatchObject({ code: 'ARTEFACT_CORRUPT' });
    await expect(readFile(path)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('leaves what it does not have to the next source', async () => {
    const source = await open();
    expect(await source.has('kubernetes', 'v1.99.0')).toBe(false);
    expect(await source.has('kubernetes', 'v1.37.2')).toBe(true);
    const path = join(dir, 'coredns');
    expect(
      await source.produce({ binary: binary('coredns'), version: 'v9.9.9' }, path, () => undefined),
    ).toBeUndefined();
  });

  test('is not there where nothing answers', async () => {
    const closed = { kubernetes: 'http://127.0.0.1:9', github: 'http://127.0.0.1:9' };
    expect(await releaseSource({ sites: closed, arch: 'amd64', signal })).toBeUndefined();
  });
});

describe('directorySource()', () => {
  const arch = hostArch();
  test('takes programs of this architecture and leaves the rest to the next source', async () => {
    const given = join(dir, 'given');
    await mkdir(join(given, 'kubernetes/server/bin'), { recursive: true });
    await copyFile('/bin/true', join(given, 'kubernetes/server/bin/kubelet'));
    const source = directorySource({ dir: given, arch, signal });
    const path = join(dir, 'taken');
    expect(await source.produce({ binary: binary('kubelet'), version: 'v1.37.2' }, path, () => undefined)).toEqual({
      source: `directory ${given}`,
    });
    expect(sum(await readFile(path))).toBe(sum(await readFile('/bin/true')));
    expect(await source.identify?.({ binary: binary('kubelet'), version: 'v1.37.2' })).toBe(
      `given ${sum(await readFile('/bin/true'))}`,
    );
    expect(await source.produce({ binary: binary('etcd'), version: 'v3.7.0' }, path, () => undefined)).toBeUndefined();
    expect(await source.has('kubernetes', 'v1.37.2')).toBe(false);
  });

  test('refuses a script and a program of another architecture', async () => {
    const given = join(dir, 'wrong');
    await mkdir(given);
    await writeFile(join(given, 'kubelet'), '#!/bin/sh\necho kubelet\n');
    const other = directorySource({ dir: given, arch, signal });
    const wanted = { binary: binary('kubelet'), version: 'v1.37.2' };
    await expect(other.produce(wanted, join(dir, 'x'), () => undefined)).rejects.toMatchObject({
      code: 'ARTEFACT_CORRUPT',
      message: `${given}/kubelet is not a program for ${arch}`,
    });
    await copyFile('/bin/true', join(given, 'kubelet'));
    const foreign = directorySource({ dir: given, arch: arch === 'amd64' ? 'arm64' : 'amd64', signal });
    await expect(foreign.produce(wanted, join(dir, 'x'), () => undefined)).rejects.toMatchObject({
      code: 'ARTEFACT_CORRUPT',
    });
  });

  test('refuses a kubeadm of another version', async () => {
    const given = join(dir, 'other-version');
    await mkdir(given);
    await copyFile('/bin/true', join(given, 'kubeadm'));
    const source = directorySource({ dir: given, arch, signal });
    await expect(
      source.produce({ binary: binary('kubeadm'), version: 'v1.37.2' }, join(dir, 'k'), () => undefined),
    ).rejects.toMatchObject({ message: `${given}/kubeadm is not kubeadm v1.37.2` });
  });
});

test('requireVersion() lists what there is, once, when no source has the version', async () => {
  const source = (name: string, versions: readonly string[] | undefined): Source => ({
    name,
    versions: async () => versions,
    has: async (_component, version) => versions?.includes(version) === true,
    produce: async () => undefined,
  });
  const sources = [source('one', undefined), source('two', ['v1.36.3', 'v1.37.2'])];
  await expect(requireVersion('v1.37.2', sources)).resolves.toBeUndefined();
  await expect(requireVersion('v1.99.0', sources)).rejects.toMatchObject({
    code: 'KUBERNETES_VERSION_UNKNOWN',
    message: 'No source has Kubernetes v1.99.0',
    hint: 'versions that are listed: v1.36.3, v1.37.2',
    cause: 'asked: one, two',
  });
});
