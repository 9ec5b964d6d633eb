import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { sh } from '../control/shell.ts';
import type { BalancerdConfig } from './config.ts';
import type { Engine, Usage } from './engine.ts';
import { haproxyBackend, haproxyConfig } from './haproxy-config.ts';
import { parseShowStat, type ServerStat } from './haproxy-stat.ts';
import { type BalancerState, transitionRuleset, wholeRuleset } from './tables.ts';

/** Balancing by a real haproxy, which makes its own health checks: the daemon watches it and passes on what hands want. */
export interface HaproxyEngine extends Engine {
  servers(): Promise<readonly ServerStat[]>;
  setChecks(running: boolean): Promise<void>;
  /** Another interval needs another configuration: a new process takes over, the old one serves its sessions to the end. */
  setInterval(intervalMs: number): Promise<void>;
}

export function haproxyEngine(config: BalancerdConfig, intervalMs: number): HaproxyEngine {
  const socket = join(config.dir, 'haproxy.sock');
  const file = join(config.dir, 'haproxy.cfg');
  const pidFile = join(config.dir, 'haproxy.pid');
  const stateFile = join(config.dir, 'haproxy.state');
  let child: ChildProcess | undefined;
  let manual: BalancerState | undefined;

  const launch = async (interval: number, before: number | undefined) => {
    const known = before === undefined ? '' : await ask(socket, 'show servers state').catch(() => '');
    await writeFile(stateFile, known, { mode: 0o600 });
    await writeFile(file, haproxyConfig(config, { socket, stateFile, intervalMs: interval }), { mode: 0o600 });
    const [program, ...args] = ['haproxy', '-db', '-f', file, ...(before === undefined ? [] : ['-sf', `${before}`])];
    child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
    const { pid } = child;
    const ended = new Promise<string>((resolve) => {
      child?.once('error', (error) => resolve(error.message));
      child?.once('exit', (code, signal) => resolve(`haproxy ended with ${code ?? signal}`));
    });
    // A new process binds its control socket in place of the old one's: ask until the one that answers is it.
    for (let tries = 0; tries < 400; tries += 1) {
      const answer = await Promise.race([ask(socket, 'show info').catch(() => ''), ended]);
      if (/^haproxy ended|ENOENT/.test(answer)) throw new Error(answer);
      if (new RegExp(`^Pid: ${pid}$`, 'm').test(answer)) {
        await writeFile(pidFile, String(pid));
        return;
      }
      await sleep(10);
    }
    throw new Error('haproxy did not answer on its socket within 4 s');
  };

  const handOver = async (state: BalancerState) => {
    const commands = state.backends.flatMap(({ name, forced, weight }) => {
      const server = `${haproxyBackend}/${name}`;
      return [
        `set server ${server} weight ${weight}`,
        `set server ${server} state ${forced === 'out' ? 'maint' : 'ready'}`,
        ...(forced === 'in' ? [`disable health ${server}`, `set server ${server} health up`] : []),
        ...(forced === undefined && wasForcedIn(manual, name) ? [`enable health ${server}`] : []),
      ];
    });
    manual = state;
    for (const command of commands) {
      const answer = (await ask(socket, command)).trim();
      if (answer !== '') throw new Error(`haproxy on ${JSON.stringify(command)}: ${answer}`);
    }
  };

  return {
    async start(state) {
      await sh(['nft', '-f', '-'], { stdin: wholeRuleset(config, state) });
      await launch(intervalMs, await runningHaproxy(pidFile));
      await handOver(state);
    },
    async apply(state) {
      await sh(['nft', '-f', '-'], { stdin: transitionRuleset(config, state) });
      await handOver(state);
    },
    async resetFlows(name) {
      await ask(socket, `shutdown sessions server ${haproxyBackend}/${name}`);
    },
    async usage() {
      const stats = await readStats(socket);
      return new Map(
        config.backends.map(({ name }): [string, Usage] => {
          const mine = stats.filter((s) => s.server === name);
          return [
            name,
            {
              connections: mine.reduce((sum, s) => sum + s.connections, 0),
              flows: mine.reduce((sum, s) => sum + s.flows, 0),
            },
          ];
        }),
      );
    },
    servers: async () => (await readStats(socket)).filter((s) => s.backend === haproxyBackend),
    async setChecks(running) {
      for (const { name } of config.backends) {
        await ask(socket, `${running ? 'enable' : 'disable'} health ${haproxyBackend}/${name}`);
      }
    },
    async setInterval(interval) {
      await launch(interval, child?.pid);
      if (manual !== undefined) await handOver(manual);
    },
    async stop() {
      child?.kill('SIGTERM');
    },
  };
}

function wasForcedIn(state: BalancerState | undefined, name: string): boolean {
  return state?.backends.find((b) => b.name === name)?.forced === 'in';
}

async function readStats(socket: string): Promise<readonly ServerStat[]> {
  return parseShowStat(await ask(socket, 'show stat'));
}

/** The process that an earlier, killed daemon left behind, if it still is a haproxy. */
async function runningHaproxy(pidFile: string): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(pidFile, 'utf8'));
    return (await readFile(`/proc/${pid}/comm`, 'utf8')).trim() === 'haproxy' ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** One command on haproxy's runtime interface; it answers and closes. */
async function ask(path: string, command: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const socket = connect(path, () => socket.write(`${command}\n`));
    let text = '';
    socket.setTimeout(5000, () => socket.destroy(new Error(`haproxy did not answer ${JSON.stringify(command)}`)));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.once('error', reject);
    socket.once('end', () => resolve(text));
  });
}
