import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { startObserver } from '../../src/balancer/probe/observer.ts';
import { runHairpinProbe } from '../../src/balancer/probe/run-probe.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { LocalNode } from '../../src/node/local.ts';
import { silent } from '../../src/report/event.ts';
import { wireLab } from '../support/balancer-lab.ts';
import { leftovers, probeRequest, withoutApiservers } from '../support/probe-lab.ts';

// A balancer that checks so rarely that a probe waits for it while we stop it.
const slow = { protocol: 'tcp', intervalMs: 30_000, timeoutMs: 1000, rise: 2, fall: 2 } as const;

async function bareLab(): Promise<Lab> {
  const lab = await wireLab({
    name: 'prb-cleanup',
    masters: 2,
    workers: 0,
    clients: 0,
    balancer: { like: 'drop', healthCheck: slow },
  });
  await withoutApiservers(lab);
  return lab;
}

async function until(what: () => Promise<boolean>, ms: number): Promise<number> {
  const start = performance.now();
  while (!(await what())) {
    if (performance.now() - start > ms) throw new Error(`not within ${ms} ms`);
    await sleep(100);
  }
  return performance.now() - start;
}

/** A table that counts and a listener: what a probe under way looks like. */
const underWay = async (lab: Lab, machine: string) => (await leftovers(lab, machine)).length >= 2;
const clean = async (lab: Lab, machine: string) => (await leftovers(lab, machine)).length === 0;

test('an aborted probe takes everything away before it returns', async () => {
  await using lab = await bareLab();
  const stop = new AbortController();
  const run = runHairpinProbe(probeRequest(lab), { signal: stop.signal, emit: silent });
  run.catch(() => undefined);
  await until(() => underWay(lab, 'm1'), 10_000);
  stop.abort(new Error('stop it'));
  await expect(run).rejects.toThrow('stop it');
  expect(await leftovers(lab, 'm1')).toEqual([]);
  expect(await leftovers(lab, 'm2')).toEqual([]);
});

test('after SIGKILL of hairpin everything is gone within seconds', async () => {
  await using lab = await bareLab();
  const child = spawn(process.execPath, [join(import.meta.dirname, '../support/probe.main.ts'), lab.name], {
    stdio: 'ignore',
  });
  await until(() => underWay(lab, 'm1'), 15_000);
  child.kill('SIGKILL');
  const start = performance.now();
  for (const machine of ['m1', 'm2']) await until(() => clean(lab, machine), 10_000);
  // A tick a second finds out; the rest is the machine's load.
  expect(performance.now() - start).toBeLessThan(10_000);
});

test('after SIGKILL of all that runs on the node as well, the guard takes everything away when the time is up', async () => {
  await using lab = await bareLab();
  const node = new LocalNode('m1', lab.argvIn('m1', []));
  const table = 'hairpin_probe_cleanup';
  const observer = startObserver(
    node,
    {
      node: 'm1',
      table,
      rules: `table inet ${table} { }\n`,
      lifeSeconds: 5,
      httpsPath: undefined,
      listenOn: [6443],
    },
    new AbortController().signal,
  );
  // It is killed below, and then says that it ended.
  observer.catch(() => undefined);
  await observer;
  expect(await underWay(lab, 'm1')).toBe(true);
  const pids = (
    await node.probe([
      'sh',
      '-c',
      `ip netns pids hp-prb-cleanup-m1 | while read p; do tr '\\0' ' ' </proc/$p/cmdline | grep -qE "^(perl -e|sh -c .*hairpin-probe ${table})" && echo $p; done`,
    ])
  ).stdout;
  for (const pid of pids.split('\n').filter((line) => line !== '')) {
    // The shells that made the list are in it, and have gone.
    await node.probe(['sh', '-c', 'kill -KILL "$1" 2>/dev/null', 'sh', pid]);
  }
  expect((await leftovers(lab, 'm1')).some((line) => line.includes(table))).toBe(true);
  await until(() => clean(lab, 'm1'), 9000);
});
