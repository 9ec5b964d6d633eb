import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import { type Emit, task } from '../../report/event.ts';
import type { InForce } from '../faults/fault.ts';
import { readInForce, removeInForce, writeInForce } from '../faults/records.ts';
import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord, Mark } from '../history/record.ts';
import { budgetFor } from '../scenario/budget.ts';
import type { DrillClient, DrillSite } from '../site/site.ts';
import { startTraffic, type Traffic } from '../traffic/run-traffic.ts';
import type { DrillPlan } from './plan.ts';
import { type DrillHeader, type SavedDrill, saveDrill } from './store.ts';

export interface DrillOptions {
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** New TLS connections a second and client. */
  readonly perSecond: number;
  /** Streams of each client, and operations a second; where many clusters share a machine, fewer will do. */
  readonly watches?: number;
  readonly operationsPerSecond?: number;
  readonly now: () => Date;
  /** For how long an unhealthy cluster is waited for: what was drilled before needs its time. None when absent. */
  readonly healthyWithinMs?: number;
}

/** The first handshakes of a process are slow ones, and all clients' come at once. */
const warmUpMs = 1000;
/** What is judged as before the fault. */
const beforeMs = 2000;
/** After healing: long enough to see that everything is well again, short enough for "≤ 10 s more than the fault". */
const afterMs = 3000;
/** As issue and peers have it: a client that is out of patience sooner cannot tell a delay from a loss. */
const patienceMs = 2000;

/** Heals what earlier drills have left broken, the newest first. Gives what it was. */
export async function healLeft(site: Pick<DrillSite, 'directory' | 'faults'>): Promise<readonly InForce[]> {
  const left = await readInForce(inForceDir(site));
  for (const record of left.toReversed()) {
    const fault = site.faults.find((candidate) => candidate.name === record.fault);
    if (fault === undefined) {
      throw new OperatorError(
        'DRILL_HEAL',
        `\`${record.fault}\` of ${record.target} is in force and nobody here can heal it`,
        {
          hint: `it was broken by drill ${record.run} at ${record.since}`,
        },
      );
    }
    await fault.heal(record.target);
    await removeInForce(inForceDir(site), record);
  }
  return left;
}

/**
 * Runs one drill and saves its history: heals what is left of others, asks whether the cluster is well, lets the traffic
 * run, breaks, heals, and waits for it to be well. Whatever happens in between, it heals.
 */
export async function runDrill(site: DrillSite, plan: DrillPlan, opts: DrillOptions): Promise<SavedDrill> {
  const { emit, signal } = opts;
  for (const { fault, target } of await healLeft(site)) {
    emit({ kind: 'warning', text: `healed what an earlier drill had left broken: ${fault} of ${target}` });
  }
  // Clients are prepared meanwhile; a cluster that is not healthy is what is told.
  const preparing = task(emit, 'clients', 'clients', () => site.clients());
  preparing.catch(() => undefined);
  await requireHealthy(site, opts);
  const startedAt = opts.now().toISOString();
  const id = `${startedAt.slice(0, 19).replaceAll(':', '-')}-${plan.scenario.name}`;
  const history: DrillRecord[] = [];
  const mark = (what: Mark['what'], text = '') => void history.push({ is: 'mark', at: monotonicMs(), what, text });
  const abort = new AbortController();
  let clients: readonly DrillClient[] = [];
  const header = (clockErrorMs: number, lost: readonly string[], cutShort?: string): DrillHeader => ({
    is: 'drill',
    id,
    scenario: plan.scenario.name,
    summary: plan.scenario.summary,
    site: site.name,
    strategy: site.strategy,
    broke: plan.acts.map(({ fault, target }) => `${fault.name} ${target}`),
    startedAt,
    budget: budgetFor(plan.scenario, {
      predictable: site.predictable,
      clients,
      masters: site.masters,
      target: plan.acts[0]?.target ?? '',
    }),
    watched: site.watched,
    clockErrorMs,
    ...(lost.length === 0 ? {} : { lost }),
    ...(cutShort === undefined ? {} : { cutShort }),
  });
  let traffic: readonly Traffic[] = [];
  let sampled: Promise<void> | undefined;
  let cutShort: string | undefined;
  const sampling = new AbortController();
  try {
    clients = await preparing;
    traffic = await task(emit, 'traffic', 'traffic', () =>
      Promise.all(clients.map((client) => start(client, id, opts, history, abort.signal))),
    );
    for (const one of traffic) one.go();
    sampled = site.sample?.((record) => history.push(record), sampling.signal);
    await sleep(warmUpMs, undefined, { signal });
    mark('begin');
    await sleep(beforeMs, undefined, { signal });
    await breakAndHeal(site, plan, id, mark, opts);
    await sleep(afterMs, undefined, { signal });
  } catch (error) {
    sampling.abort();
    if (!signal.aborted) {
      abort.abort();
      throw error;
    }
    cutShort = 'stopped by Ctrl-C or SIGTERM';
  }
  mark('end');
  sampling.abort();
  const ended = await Promise.all(traffic.map(async (one) => ({ client: one.client, problem: await one.stop() })));
  await sampled;
  const lost: string[] = [];
  for (const { client, problem } of ended) {
    if (problem === undefined) continue;
    if (diedWithNode(site, plan, clients, client)) lost.push(client);
    else mark('note', `the traffic of ${client} ${problem}`);
  }
  const clockErrorMs = Math.max(0, ...traffic.map((t) => t.clockErrorMs));
  const saved = { header: header(clockErrorMs, lost, cutShort), history };
  await saveDrill(site.directory, saved);
  return saved;
}

/** A client whose node was taken away on purpose says nothing of the others. */
function diedWithNode(
  site: Pick<DrillSite, 'masters'>,
  plan: DrillPlan,
  clients: readonly DrillClient[],
  name: string,
): boolean {
  const on = clients.find((client) => client.name === name)?.on;
  if (on === undefined) return false;
  return plan.acts.some(
    ({ fault, target }) =>
      (fault.takesNodes === 'target' && target === on) || (fault.takesNodes === 'masters' && site.masters.includes(on)),
  );
}

async function breakAndHeal(
  site: DrillSite,
  plan: DrillPlan,
  run: string,
  mark: (what: Mark['what'], text?: string) => void,
  { emit, signal, now }: DrillOptions,
): Promise<void> {
  const inForce: InForce[] = [];
  const began = monotonicMs();
  try {
    for (const { fault, target, afterMs: after } of plan.acts) {
      await sleep(Math.max(0, began + after - monotonicMs()), undefined, { signal });
      const record: InForce = { run, fault: fault.name, target, since: now().toISOString() };
      await writeInForce(inForceDir(site), record);
      inForce.push(record);
      const what = `${fault.name} ${target}`;
      mark('inject', what);
      await task(emit, what, what, () => fault.inject(target, signal));
      mark('fault', what);
    }
    const goingOn = plan.acts.map(({ fault, target }) => fault.goOn?.(target, signal));
    await Promise.all([sleep(Math.max(0, began + plan.forMs - monotonicMs()), undefined, { signal }), ...goingOn]);
  } finally {
    mark('heal');
    // Not under `signal`: a second Ctrl-C leaves the record, and the next command heals.
    for (const record of inForce.toReversed()) {
      const act = plan.acts.find(({ fault, target }) => fault.name === record.fault && target === record.target);
      await task(emit, `heal ${record.fault}`, `heal ${record.target}`, async () => act?.fault.heal(record.target));
      await removeInForce(inForceDir(site), record);
    }
    mark('healed');
  }
}

async function requireHealthy(site: DrillSite, { emit, signal, healthyWithinMs = 0 }: DrillOptions): Promise<void> {
  const until = performance.now() + healthyWithinMs;
  const problems = await task(emit, 'healthy', 'healthy before', async (progress) => {
    for (;;) {
      const found = await site.problems(signal);
      if (found.length === 0 || performance.now() > until) return found;
      progress(found[0] ?? '');
      await sleep(500, undefined, { signal });
    }
  });
  if (problems.length === 0) return;
  throw new OperatorError(
    'DRILL_UNHEALTHY',
    `${site.name} is not healthy, so a drill would prove nothing: ${problems.join('; ')}`,
    {
      hint: 'nothing was broken; see `hairpin status` and `hairpin doctor`',
    },
  );
}

async function start(
  client: DrillClient,
  run: string,
  { perSecond, watches = 3, operationsPerSecond = 10 }: DrillOptions,
  history: DrillRecord[],
  signal: AbortSignal,
): Promise<Traffic> {
  const { paths } = client;
  const id = run.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return await startTraffic({
    channel: client.channel,
    config: {
      ...client.config,
      client: client.name,
      connections: { perSecond, patienceMs, path: paths?.health ?? '/livez' },
      kept: { count: 3, everyMs: 500, patienceMs, path: paths?.health ?? '/livez' },
      ...(paths === undefined
        ? {}
        : {
            watches: { count: watches, path: paths.watch },
            operations: {
              perSecond: operationsPerSecond,
              patienceMs,
              path: paths.operate,
              register: `register-${id}`,
              set: `set-${id}`,
            },
          }),
    },
    onRecord: (record) => history.push(record),
    signal,
  });
}

function inForceDir(site: Pick<DrillSite, 'directory'>): string {
  return `${site.directory}/drill-in-force`;
}
