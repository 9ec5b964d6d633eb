import { spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { enterArgv } from '../../src/lab/cgroup/cgroup.ts';
import { inNetns } from '../../src/lab/commands/command.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';

/** Runs a program in a machine's network until it is disposed of; it is in the lab's cgroup, so `lab down` finds it too. */
export async function runInside(
  lab: Lab,
  machine: string,
  argv: readonly string[],
): Promise<AsyncDisposable & { readonly pid: number }> {
  const [file = '', ...args] = enterArgv(lab.cx.cgroups, inNetns(netnsOf(lab, machine), argv));
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-4000);
    });
  }
  const pid = child.pid ?? 0;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  await sleep(300);
  if (child.exitCode !== null) throw new Error(`${argv.join(' ')} ended with ${child.exitCode}:\n${said}`);
  return {
    pid,
    async [Symbol.asyncDispose]() {
      // The whole group: masters and workers of nginx, processes of keepalived's checks.
      try {
        process.kill(-pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
      await ended;
    },
  };
}

export function netnsOf(lab: Lab, machine: string): string {
  const found = lab.cx.topology.machines.find((candidate) => candidate.machine.name === machine);
  if (found === undefined) throw new Error(`The lab has no machine ${machine}`);
  return found.netns;
}

/** A configuration file in a directory of its own. */
export async function configFile(
  name: string,
  text: string,
  mode = 0o644,
): Promise<AsyncDisposable & { file: string; dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), 'hp-bench-'));
  const file = join(dir, name);
  await writeFile(file, text.replaceAll('@DIR@', dir), { mode });
  return { file, dir, [Symbol.asyncDispose]: async () => rm(dir, { recursive: true, force: true }) };
}

export async function untilAnswers(lab: Lab, machine: string, url: string): Promise<void> {
  const end = performance.now() + 15_000;
  for (;;) {
    const { stdout } = await lab.exec(machine, [
      'curl',
      '-sk',
      '-m',
      '2',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      url,
    ]);
    if (stdout === '200') return;
    if (performance.now() > end) throw new Error(`${url} from ${machine} does not answer (${stdout})`);
    await sleep(100);
  }
}

/** The masters of the lab as `name address`. */
export function mastersOf(lab: Lab): readonly { readonly name: string; readonly address: string }[] {
  return lab.spec.machines.flatMap(({ name, role, addresses }) =>
    role === 'control-plane' ? [{ name, address: addresses[0]?.text ?? '' }] : [],
  );
}
