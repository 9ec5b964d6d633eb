/**
 * Makes test/fixtures/kubeadm-runs/VERSION-drop/: plain kubeadm, as its manual says, behind a balancer that drops what
 * comes back, with everything that a person would look at afterwards. Needs root and the node tier.
 *
 * usage: scripts/capture-kubeadm-runs.ts VERSION…
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createReporter, parseLabFlags, startLab } from '../src/index.ts';
import { installCni, kubeadmInit, kubeadmJoin, ofRole } from '../src/lab/rehearsal/by-hand.ts';
import { collectLogs, transcript } from '../src/lab/rehearsal/collect-logs.ts';
import { tryEndpoint } from '../src/lab/rehearsal/observe.ts';

const root = new URL('../test/fixtures/kubeadm-runs/', import.meta.url).pathname;
const { emit } = createReporter(process.stderr, { json: false, color: false });
const stop = new AbortController();
process.once('SIGINT', () => stop.abort());
const { signal } = stop;

for (const version of process.argv.slice(2)) await capture(version);

async function capture(version: string): Promise<void> {
  const dir = join(root, `${version}-drop`);
  await rm(dir, { recursive: true, force: true });
  const save = async (name: string, text: string) => {
    const path = join(dir, name);
    await mkdir(join(path, '..'), { recursive: true });
    await writeFile(path, text);
  };
  const spec = parseLabFlags({ lab: 'capture', tier: 'node', kubernetes: version, balancer: 'alibaba-clb' });
  await using lab = await startLab(spec, { emit, signal });
  const [leader, ...followers] = ofRole(lab, 'control-plane');
  if (leader === undefined) return;
  const opts = { emit, signal };
  const logs = async (machine: string, when: string) => {
    for (const [name, text] of Object.entries(await collectLogs(lab, machine, opts))) {
      await save(`${when}/${machine}/${name}`, text);
    }
  };
  const outcomes = async (when: string) => {
    const machines = spec.machines.map(({ name }) => name);
    const rows = [];
    for (const machine of machines) rows.push(await tryEndpoint(lab, machine, 60, opts));
    await save(`${when}/connections.json`, `${JSON.stringify(rows, undefined, 2)}\n`);
  };
  const run = async (name: string, argv: readonly string[], timeout: number) => {
    const result = await lab.exec(leader.name, ['timeout', String(timeout), ...argv], opts);
    await save(name, transcript(result, argv.join(' ')));
  };

  await installCni(lab, opts);
  const init = await kubeadmInit(lab, leader, opts);
  await save(
    'kubeadm-init.txt',
    transcript(init.result, init.result.argv.slice(init.result.argv.indexOf('kubeadm')).join(' ')),
  );
  // Long enough for kube-proxy and CoreDNS to have tried, and to have gone on failing.
  await sleep(45_000, undefined, { signal });
  await logs(leader.name, 'after-init');
  await outcomes('after-init');
  // 124 says that it was still waiting after that many seconds.
  await run('after-init/kubeadm-token-create.txt', ['kubeadm', 'token', 'create'], 120);
  if (init.join === undefined) return;
  for (const machine of [...followers, ...ofRole(lab, 'worker')]) {
    const joined = await kubeadmJoin(lab, machine, init.join, opts);
    await save(`kubeadm-join-${machine.name}.txt`, transcript(joined, `kubeadm join (${machine.role})`));
  }
  await sleep(30_000, undefined, { signal });
  for (const machine of spec.machines.filter(({ role }) => role !== 'client')) await logs(machine.name, 'after-joins');
  await outcomes('after-joins');
}
