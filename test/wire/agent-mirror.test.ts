import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentConfig } from '../../src/agent/config/config.ts';
import { readBalancerStatus } from '../../src/lab/balancer/client.ts';
import { pkiFiles } from '../../src/lab/pki/pki.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { setStandin } from '../../src/lab/standin/control.ts';
import { standinPid, untilInRotation, wireLab } from '../support/balancer-lab.ts';

// A balancer that checks by the readiness mirrors of three masters, over plain HTTP. No agent runs on any of them: that is
// what dead agents on all masters look like to a balancer.

const main = fileURLToPath(new URL('../../src/program/daemon.main.ts', import.meta.url));
const names = ['m1', 'm2', 'm3'];
const port = 6480;

let lab: Lab;
let dir: string;
const logs: string[] = [];
const stop = new AbortController();
const running: Promise<unknown>[] = [];

const drainFile = (name: string) => join(dir, `${name}.drain`);

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-mirror-'));
  lab = await wireLab({
    name: 'install-mirror',
    masters: 3,
    workers: 0,
    balancer: {
      like: 'drop',
      healthCheck: { protocol: 'http', port, path: '/readyz', intervalMs: 300, timeoutMs: 600, rise: 2, fall: 2 },
    },
  });
  for (const name of names) {
    const own = lab.spec.machines.find((machine) => machine.name === name)?.addresses.map((a) => a.text) ?? [];
    const config: AgentConfig = {
      version: 1,
      node: { name, addresses: own, role: 'control-plane' },
      endpoint: { host: lab.spec.endpoint.addresses[0]?.text ?? '', addresses: [], port: 6443 },
      apiServerPort: lab.spec.apiServerPort,
      masters: [],
      steer: true,
      device: 'eth0',
      uplinks: 'auto',
      ca: [pkiFiles(lab.cx.paths).caFile],
      mirror: { port },
    };
    await writeFile(join(dir, `${name}.json`), JSON.stringify(config));
    const argv = ['mirror', '--config', join(dir, `${name}.json`), '--drain-file', drainFile(name)];
    const onLine = (_stream: string, line: string) => void logs.push(`${name}: ${line}`);
    running.push(
      lab.exec(name, [process.execPath, main, ...argv], { signal: stop.signal, onLine }).catch(() => undefined),
    );
  }
});

afterAll(async () => {
  stop.abort();
  await Promise.all(running);
  await lab?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

async function ask(name: string, ...options: readonly string[]): Promise<string> {
  const address = lab.spec.machines.find((machine) => machine.name === name)?.addresses[0]?.text;
  const argv = ['curl', '--silent', '--max-time', '2', '--write-out', '%{http_code}', ...options];
  const { stdout } = await lab.exec('c1', [...argv, `http://${address}:${port}/readyz`]);
  return stdout.replace(/\d+ ms ago/, 'N ms ago');
}

test('without any agent the balancer keeps all masters', async () => {
  await untilInRotation(lab, names);
  expect(await ask('m1')).toBe('m1: /readyz of the apiserver said yes, N ms ago\n200');
  const before = await readBalancerStatus(lab.cx.paths);
  await sleep(3000);
  const after = await readBalancerStatus(lab.cx.paths);
  expect(after.backends.map((b) => b.inRotation)).toEqual([true, true, true]);
  expect(after.history).toEqual(before.history);
});

test('only GET and HEAD are answered, and nonsense does not hurt', async () => {
  expect(await ask('m1', '--request', 'POST', '--data', 'x')).toBe('m1: only GET and HEAD\n405');
  expect(await ask('m1', '--header', `x: ${'y'.repeat(20_000)}`)).toMatch(/431$|000$/);
  expect(await ask('m1', '--head')).toMatch(/200$/);
});

test('a drained master is ejected and comes back', async () => {
  await writeFile(drainFile('m1'), '');
  await untilInRotation(lab, ['m2', 'm3'], 5000);
  expect(await ask('m1')).toBe('m1: this node is drained\n503');
  await rm(drainFile('m1'));
  await untilInRotation(lab, names, 5000);
});

test('a master that is not ready is ejected and comes back', async () => {
  await setStandin(lab.cx.paths, 'm2', { ready: false });
  await untilInRotation(lab, ['m1', 'm3'], 5000);
  expect(await ask('m2')).toBe('m2: /readyz of the apiserver said no, N ms ago\n503');
  await setStandin(lab.cx.paths, 'm2', { ready: true });
  await untilInRotation(lab, names, 5000);
});

test('a hung apiserver is ejected and comes back', async () => {
  const pid = await standinPid(lab, 'm2');
  process.kill(pid, 'SIGSTOP');
  await untilInRotation(lab, ['m1', 'm3'], 6000);
  expect(await ask('m2')).toBe('m2: the apiserver does not answer (nothing within 2000 ms), N ms ago\n503');
  process.kill(pid, 'SIGCONT');
  await untilInRotation(lab, names, 6000);
});

test('a dead apiserver is ejected', async () => {
  process.kill(await standinPid(lab, 'm3'), 'SIGKILL');
  await untilInRotation(lab, ['m1', 'm2'], 6000);
  expect(await ask('m3')).toMatch(/^m3: the apiserver does not answer \(connect ECONNREFUSED .*\), N ms ago\n503$/);
  expect(logs.filter((line) => line.startsWith('m3: ')).at(-1)).toMatch(/^m3: not ready: /);
});
