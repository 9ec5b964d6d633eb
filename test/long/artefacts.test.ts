import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ensureArtefacts } from '../../src/lab/artefacts/artefacts.ts';
import { silent } from '../../src/report/event.ts';
import { repoRoot } from '../support/imports.ts';

const signal = new AbortController().signal;

describe('every Kubernetes version that the lab is run with', () => {
  test.each([
    { version: 'v1.34.4', etcd: '3.6.5' },
    { version: 'v1.35.4', etcd: '3.6.6' },
    { version: 'v1.36.3', etcd: '3.6.8' },
    { version: 'v1.37.2', etcd: '3.7.0' },
  ])('$version can be had, and each program says that it is of that version', async ({ version, etcd }) => {
    const { binaries, images } = await ensureArtefacts(version, { emit: silent, signal, verify: true });
    const said = async (name: keyof typeof binaries, ...args: string[]) =>
      (await execa(binaries[name], args)).stdout.split('\n')[0];
    expect({
      kubeadm: await said('kubeadm', 'version', '-o', 'short'),
      apiserver: await said('kube-apiserver', '--version'),
      controllers: await said('kube-controller-manager', '--version'),
      scheduler: await said('kube-scheduler', '--version'),
      kubelet: await said('kubelet', '--version'),
      proxy: await said('kube-proxy', '--version'),
      kubectl: await said('kubectl', 'version', '--client'),
      etcd: await said('etcd', '--version'),
      containerd: await said('containerd', '--version'),
    }).toEqual({
      kubeadm: version,
      apiserver: `Kubernetes ${version}`,
      controllers: `Kubernetes ${version}`,
      scheduler: `Kubernetes ${version}`,
      kubelet: `Kubernetes ${version}`,
      proxy: `Kubernetes ${version}`,
      kubectl: `Client Version: ${version}`,
      etcd: `etcd Version: ${etcd}`,
      containerd: expect.stringContaining('v2.4.2'),
    });
    const listed = await execa(binaries.kubeadm, ['config', 'images', 'list', '--kubernetes-version', version]);
    expect(images.map(({ ref }) => ref)).toEqual(listed.stdout.split('\n'));
    const start = performance.now();
    await ensureArtefacts(version, { emit: silent, signal });
    expect(performance.now() - start).toBeLessThan(1000);
  });
});

test("every extension of iptables can be loaded in kube-proxy's image, statistic among them", async () => {
  const { images } = await ensureArtefacts('v1.37.2', { emit: silent, signal });
  const image = images.find(({ ref }) => ref.includes('kube-proxy'))?.file ?? '';
  const root = await mkdtemp(join(tmpdir(), 'hairpin-image-'));
  try {
    await execa('sh', ['-c', 'tar -xOf "$0" --wildcards "*/layer.tar" | tar -xC "$1"', image, root]);
    const names = (await execa('find', [root, '-name', 'libxt_*.so'])).stdout.split('\n');
    // Targets have names in capitals, but for `standard`.
    const matches = names.flatMap((path) => /libxt_(?!standard)([a-z0-9]+)\.so$/.exec(path)?.[1] ?? []);
    const unable: string[] = [];
    for (const match of matches) {
      const { stderr } = await execa('chroot', [root, 'iptables', '-m', match, '--help'], { reject: false });
      // What iptables says of an extension whose libraries are not there.
      if (stderr.includes(`Couldn't load match`)) unable.push(match);
    }
    expect({ statistic: matches.includes('statistic'), unable }).toEqual({ statistic: true, unable: [] });
  } finally {
    await rm(root, { recursive: true, force: true });
  }
});

describe('kill -9', () => {
  let cache = '';
  beforeEach(async () => {
    cache = await mkdtemp(join(tmpdir(), 'hairpin-kill-'));
  });
  afterEach(() => rm(cache, { recursive: true, force: true }));

  /** Everything on this machine that still has to do with the killed build. */
  async function traces(): Promise<string[]> {
    const mounts = (await readFile('/proc/mounts', 'utf8')).split('\n').filter((line) => line.includes(cache));
    const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
    const lines = await Promise.all(
      pids.map(async (pid) => {
        const files = ['cmdline', 'environ'].map((name) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => ''));
        return (await Promise.all(files)).join(' ').includes(cache) ? [`process ${pid}`] : [];
      }),
    );
    return [...mounts, ...lines.flat()];
  }

  const build = () =>
    execa(join(repoRoot, 'bin/hairpin'), ['lab', 'artefacts', '--output', 'json'], {
      env: { HAIRPIN_CACHE: cache },
      reject: false,
    });

  test('at any moment leaves no process and no mount, and the next run finishes what was begun', async () => {
    // The base image takes the first minute or so, the binaries (their packages are in Go's cache) the next minutes.
    for (const seconds of [1, 7, 13, 21, 34, 40, 55]) {
      const run = build();
      await sleep(seconds * 1000);
      run.kill('SIGKILL');
      await run;
      for (let tries = 0; tries < 50 && (await traces()).length > 0; tries += 1) await sleep(100);
      expect({ seconds, left: await traces() }).toEqual({ seconds, left: [] });
    }
    const last = await build();
    expect(last.exitCode).toBe(0);
    const { artefacts, base } = JSON.parse(last.stdout) as { artefacts: { dir: string }; base: { rootfs: string } };
    expect((await readdir(artefacts.dir)).toSorted()).toEqual(['bin', 'images', 'manifest.json']);
    expect((await stat(join(base.rootfs, 'usr/sbin/nft'))).isFile()).toBe(true);
    expect((await readdir(join(cache, 'base'))).filter((name) => name.startsWith('.'))).toEqual([]);
    expect(await readdir(join(cache, 'go/tmp')).catch(() => [])).toEqual([]);
  });

  test('Ctrl-C ends a build within seconds and says so', async () => {
    const run = build();
    await sleep(8000);
    run.kill('SIGINT');
    const start = performance.now();
    const { exitCode } = await run;
    expect({ exitCode, left: await traces(), quick: performance.now() - start < 5000 }).toEqual({
      exitCode: 1,
      left: [],
      quick: true,
    });
  });
});
