import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { FakeCluster } from '../../support/fake-node/fake-node.ts';
import { fakeNames } from '../../support/fake-node/session.ts';
import { repoRoot } from '../../support/imports.ts';

const kills = Number(process.env.HAIRPIN_TEST_KILLS ?? 30);
const seed = Number(process.env.HAIRPIN_TEST_SEED ?? 20261123);
const stepMs = 30;

// What a run keeps for the next one and for reset differs with every run, and so does when.
const kept = ['/var/lib/hairpin', '/run/hairpin'];

describe('up, killed with SIGKILL at seeded random moments', () => {
  test(`${kills} kills (HAIRPIN_TEST_SEED=${seed}): the next up finishes, and the result is that of an undisturbed run`, {
    timeout: 900_000,
  }, async () => {
    using undisturbed = new FakeCluster(fakeNames, { stepMs });
    const whole = await up(undisturbed);
    expect(whole).toMatchObject({ code: 0, changed: true });
    const wanted = stateOf(undisturbed);
    const again = await up(undisturbed);
    expect(again).toMatchObject({ code: 0, changed: false });

    const random = mulberry32(seed);
    const log: string[] = [];
    let left = kills;
    while (left > 0) {
      using cluster = new FakeCluster(fakeNames, { stepMs });
      // A cluster survives a few kills in a row, so that resumed runs are killed as well.
      for (let inARow = 1 + Math.floor(random() * 4); inARow > 0 && left > 0; inARow -= 1) {
        const after = Math.round(200 + random() * whole.ms);
        const run = await up(cluster, after);
        if (run.killed) left -= 1;
        log.push(`${after} ms${run.killed ? '' : ' (had ended)'}`);
      }
      const last = await up(cluster);
      const told = `kills after ${log.join(', ')}; seed ${seed}\n${last.stderr}`;
      expect(last.code, told).toBe(0);
      expect(stateOf(cluster), told).toEqual(wanted);
      expect((await up(cluster)).changed, told).toBe(false);
      log.length = 0;
    }
  });

  // What kubeadm does after all its files are there, which nobody sees on the disk.
  test.each([
    { name: 'after the first apiserver runs', there: '/nodes/m1', missing: '/config/kubeadm-config' },
    { name: 'before the addons', there: '/config/cluster-info', missing: '/config/kube-proxy' },
    { name: 'while the second master is a learner of etcd', there: '/etcd/m2', missing: '/apiservers/m2' },
    { name: 'before the third master is marked as one', there: '/apiservers/m3', missing: undefined },
  ])('killed $name', async ({ there, missing }) => {
    using undisturbed = new FakeCluster(fakeNames, { stepMs: 5 });
    expect(await up(undisturbed)).toMatchObject({ code: 0 });
    using cluster = new FakeCluster(fakeNames, { stepMs: 400 });
    const killed = await up(cluster, () => cluster.read('shared', there) !== undefined);
    expect(killed.killed, killed.stderr).toBe(true);
    if (missing !== undefined) expect(cluster.read('shared', missing)).toBeUndefined();
    cluster.write('shared', '/step', '0.005');
    const last = await up(cluster);
    expect(last.code, last.stderr).toBe(0);
    expect(stateOf(cluster)).toEqual(stateOf(undisturbed));
    expect((await up(cluster)).changed).toBe(false);
  });
});

function stateOf(cluster: FakeCluster) {
  return Object.fromEntries([...fakeNames, 'shared'].map((name) => [name, filesOf(cluster, name)]));
}

/** CA key and certificate are each cluster's own; that they are the same on all its nodes is what counts. */
function filesOf(cluster: FakeCluster, name: string) {
  const ca = cluster.read('shared', '/pki/ca.crt');
  const key = cluster.read('shared', '/pki/ca.key');
  return Object.fromEntries(
    Object.entries(cluster.files(name, [...kept, '/step'])).map(([path, content]) => [
      path,
      content === ca ? 'the CA' : content === key ? 'its key' : content,
    ]),
  );
}

interface Run {
  readonly code: number | null;
  readonly killed: boolean;
  readonly changed: boolean | undefined;
  readonly ms: number;
  readonly stderr: string;
}

/** `kill`: after so many milliseconds, or as soon as something is so. */
async function up(cluster: FakeCluster, kill?: number | (() => boolean)): Promise<Run> {
  const start = performance.now();
  const child = spawn(process.execPath, [join(repoRoot, 'test/support/fake-node/up.main.ts'), cluster.root]);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<{ code: number | null; killed: boolean }>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, killed: signal === 'SIGKILL' }));
  });
  if (typeof kill === 'number') void sleep(kill).then(() => child.kill('SIGKILL'));
  const watch = setInterval(() => {
    if (typeof kill === 'function' && kill()) child.kill('SIGKILL');
  }, 10);
  const { code, killed } = await ended;
  clearInterval(watch);
  const changed = stdout === '' ? undefined : (JSON.parse(stdout) as { changed: boolean }).changed;
  return { code, killed, changed, ms: performance.now() - start, stderr };
}

function mulberry32(start: number): () => number {
  let state = start >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
