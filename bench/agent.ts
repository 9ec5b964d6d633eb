import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readStandin } from '../src/lab/standin/control.ts';
import { type AgentMachine, type AgentVerb, startAgent } from '../test/support/agent-machine.ts';
import { wireLab } from '../test/support/balancer-lab.ts';
import { loadNow, readStored, writeDoc, writeStored } from './report/store.ts';
import { markdownTable, plainTable } from './report/table.ts';

// `npm run bench:agent [-- --masters N] [--seconds N] [--report]`: what the agent costs a node and an apiserver. The executable that nodes get
// (`npm run build` first), with the users, capabilities and environments of the units, on a master and on a worker of a
// wire lab with 3 and with 7 stand-ins for apiservers, idle but for its own work; metrics are read once, as Prometheus does.

const file = 'agent.json';
const args = process.argv.slice(2);
const seconds = args.includes('--seconds') ? Number(args[args.indexOf('--seconds') + 1]) : 40;
const sizes = args.includes('--masters') ? [Number(args[args.indexOf('--masters') + 1])] : [3, 7];
const executable = join(import.meta.dirname, '..', 'dist', 'hairpin-linux-x64');

interface Memory {
  readonly residentMb: number;
  readonly anonymousMb: number;
  /** With pages that several processes have counted as shares of one. */
  readonly pssMb: number;
}

interface Part extends Memory {
  /** A process of the agent with the programs that it keeps running. */
  readonly process: AgentVerb;
  readonly cpuPercent: number;
}

const nothing: Memory = { residentMb: Number.NaN, anonymousMb: Number.NaN, pssMb: Number.NaN };

interface Row {
  readonly role: 'master' | 'worker';
  readonly masters: number;
  readonly parts: readonly Part[];
  /** Prober and steerer, with nothing of the agent beside them. */
  readonly alone: readonly Memory[];
  readonly seconds: number;
  /** From the start of steerer and prober to the first transition in force. */
  readonly steeringAfterMs: number;
  /** What one apiserver that is not on this node sees of this agent. */
  readonly requestsPerSecond: number;
  readonly load: number;
}

const names: Readonly<Record<AgentVerb, string>> = {
  run: 'prober',
  steerer: 'steerer',
  pods: 'pods',
  mirror: 'mirror (where a balancer asks)',
};

const stored = readStored<Row>(file);
if (!args.includes('--report')) {
  for (const masters of sizes) {
    await using lab = await wireLab({
      name: 'lean-agent',
      masters,
      workers: 1,
      clients: 1,
      balancer: { like: 'drop' },
    });
    for (const role of ['master', 'worker'] as const) {
      const node = role === 'master' ? 'm1' : 'w1';
      await using agent = await startAgent(lab, node, {
        executable,
        processes: [],
        config: { metrics: { port: 6481 }, ...(role === 'master' ? { mirror: { port: 6480 } } : {}) },
      });
      const steeringAfterMs = await firstSteering(agent);
      if (role === 'master') await agent.start('mirror');
      await lab.exec(node, ['curl', '--silent', '--output', '/dev/null', 'http://127.0.0.1:6481/metrics']);
      // What the start has left behind is given back after eight seconds.
      await sleep(15_000);
      const processes = role === 'master' ? (['run', 'steerer', 'mirror'] as const) : (['run', 'steerer'] as const);
      const load = loadNow();
      const before = processes.map((verb) => cpuMs(agent.pid(verb)));
      const asked = (await readStandin(lab.cx.paths, 'm2')).requests;
      const start = performance.now();
      await sleep(seconds * 1000);
      const elapsed = performance.now() - start;
      const requestsPerSecond = (((await readStandin(lab.cx.paths, 'm2')).requests - asked) / elapsed) * 1000;
      // All at once, so that shares are of the same whole; once more without the mirror, which only some balancers need.
      const memory = processes.map((verb) => memoryOf(agent.pid(verb)));
      const cpuPercent = processes.map((verb, i) =>
        hundredths(((cpuMs(agent.pid(verb)) - (before[i] ?? 0)) / elapsed) * 100),
      );
      if (role === 'master') await agent.signal('mirror', 'SIGKILL');
      const alone = (['run', 'steerer'] as const).map((verb) => memoryOf(agent.pid(verb)));
      const parts = processes.map((verb, i) => ({
        process: verb,
        ...(memory[i] ?? nothing),
        cpuPercent: cpuPercent[i] ?? Number.NaN,
      }));
      const row = {
        role,
        masters,
        seconds,
        parts,
        alone,
        steeringAfterMs,
        requestsPerSecond: hundredths(requestsPerSecond),
        load,
      };
      stored.rows = [...stored.rows.filter((r) => r.role !== role || r.masters !== masters), row];
      writeStored(file, stored);
    }
  }
}
report(stored.rows);

async function firstSteering(agent: AgentMachine): Promise<number> {
  const startedAt = Date.now();
  await Promise.all([agent.start('steerer'), agent.start('run')]);
  for (;;) {
    const line = agent.log.find((text) => text.includes('new connections go to'));
    const time = /"time":"([^"]+)"/.exec(line ?? '')?.[1];
    if (time !== undefined) return Date.parse(time) - startedAt;
    await sleep(5);
  }
}

/** The process and what it has started. */
function family(pid: number): readonly number[] {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return [pid, ...children.flatMap(family)];
}

function cpuMs(pid: number): number {
  const ofThreads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  // Programs that have ended since: cutime and cstime, in ticks of 10 ms (proc(5)).
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
  const ended = (Number(stat[13]) + Number(stat[14])) * 10;
  return ofThreads.reduce((sum, ns) => sum + ns, 0) / 1e6 + ended;
}

function memoryOf(pid: number): Memory {
  const rolls = family(pid).map((each) => readFileSync(`/proc/${each}/smaps_rollup`, 'utf8'));
  const sum = (field: string) =>
    tenths(
      rolls.reduce((all, text) => all + Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(text)?.[1]), 0) / 1024,
    );
  return { residentMb: sum('Rss'), anonymousMb: sum('Anonymous'), pssMb: sum('Pss') };
}

function report(rows: readonly Row[]): void {
  const head = ['node', 'process', 'resident', 'of it anonymous', 'shared pages once (PSS)', 'of a core'];
  const lines = rows.flatMap(({ role, masters, parts }) => {
    const line = (name: string, of: readonly Part[]) => [
      `${role}, ${masters} masters`,
      name,
      ...(['residentMb', 'anonymousMb', 'pssMb'] as const).map((key) => `${tenths(total(of, key))} MB`),
      `${hundredths(total(of, 'cpuPercent'))} %`,
    ];
    return [...parts.map((part) => line(names[part.process], [part])), line('all that run', parts)];
  });
  const goals = ['goal', 'measured', 'verdict'];
  const verdicts = rows.flatMap(({ role, masters, parts, alone, steeringAfterMs, requestsPerSecond, load }) => {
    // The mirror runs where a balancer asks it.
    const always = parts.filter(({ process }) => process !== 'mirror');
    const judge = (what: string, value: number, most: number, unit: string) => [
      `${role}, ${masters} masters: ${what} ≤ ${most} ${unit}`,
      `${value} ${unit} (load ${load})`,
      value <= most ? 'met' : 'missed',
    ];
    return [
      judge('resident, shared pages once', tenths(total(alone, 'pssMb')), 80, 'MB'),
      judge('anonymous', tenths(total(alone, 'anonymousMb')), 25, 'MB'),
      ...(parts.length === always.length
        ? []
        : [
            judge('resident with the mirror', tenths(total(parts, 'pssMb')), 80, 'MB'),
            judge('anonymous with the mirror', tenths(total(parts, 'anonymousMb')), 25, 'MB'),
          ]),
      judge('processor', hundredths(total(always, 'cpuPercent')), masters > 3 ? 2 : 1, '% of a core'),
      judge('start to first steering', steeringAfterMs, 500, 'ms'),
      judge('seen by one apiserver', requestsPerSecond, role === 'master' ? 5 : 0.2, 'requests a second'),
    ];
  });
  console.log(`\n${plainTable(head, lines)}\n\n${plainTable(goals, verdicts)}`);
  writeDoc(
    'agent.md',
    `# What the agent costs\n\nMade by \`npm run bench:agent\` on ${stored.machine}: the executable with the units' users, capabilities and\nenvironments, idle but for its own work, ${[...new Set(rows.map((row) => row.seconds))].join(' or ')} s each. A process is counted with the programs it keeps running (\`nft\` and, on a worker,\n\`conntrack\`, which wait in the steerer). File pages of the executable are shared; PSS counts each once. The\nload is that of the machine meanwhile: where others take the cores, answers are late, and who is late is asked more often.\n\n${markdownTable(goals, verdicts)}\n\n${markdownTable(head, lines)}\n`,
  );
}

function total<K extends string>(parts: readonly Readonly<Record<K, number>>[], key: K): number {
  return parts.reduce((sum, part) => sum + part[key], 0);
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10;
}

function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
