import { type Judgement, judge } from './drill/judge/judge.ts';
import { drillHtml } from './drill/report/html.ts';
import { drillJunit } from './drill/report/junit.ts';
import { drillTable } from './drill/report/terminal.ts';
import { type DrillPlan, planDrill, scenarioNamed } from './drill/run/plan.ts';
import { healLeft, runDrill } from './drill/run/run-drill.ts';
import { loadDrill, type SavedDrill } from './drill/run/store.ts';
import { scenarios } from './drill/scenario/list.ts';
import type { DrillSite } from './drill/site/site.ts';
import type { Emit } from './report/event.ts';

export interface DrillListed {
  readonly name: string;
  readonly summary: string;
  readonly forMs: number;
  /** Why it cannot be done on this site. */
  readonly unavailable: string | undefined;
}

/** All drills; with a site also which of them it can do. */
export function listDrills(site?: Pick<DrillSite, 'name' | 'faults'>): readonly DrillListed[] {
  return scenarios.map(({ name, summary, forMs, faults }) => {
    const without =
      site === undefined ? [] : faults.filter((fault) => !site.faults.some((known) => known.name === fault));
    const unavailable = without.length === 0 ? undefined : `${site?.name} has no ${without.join(', ')}`;
    return { name, summary, forMs, unavailable };
  });
}

export interface DrillRequest {
  readonly site: DrillSite;
  readonly names: readonly string[];
  readonly node?: string | undefined;
  readonly forMs?: number | undefined;
  readonly perSecond: number;
  readonly acceptQuorumLoss: boolean;
  /** How long to wait for a cluster that is not healthy when the first one is to begin; not at all when absent. */
  readonly healthyWithinMs?: number | undefined;
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** What would be done. Throws as a run would, before anything is broken. */
export function planDrills(request: Omit<DrillRequest, 'emit' | 'signal' | 'perSecond'>): readonly DrillPlan[] {
  const { site, names, node, forMs, acceptQuorumLoss } = request;
  return names.map((name) => planDrill(site, scenarioNamed(name), { node, forMs, acceptQuorumLoss }));
}

/** A master that was away needs a minute: static pods start, etcd catches up, a balancer takes it back. */
const recoveryMs = 240_000;

/** A drill that was run and what it means. */
export interface DrillResult extends SavedDrill {
  readonly judgement: Judgement;
}

/** Runs them one after the other; all are planned before the first is begun. `onResult` is told each as it ends. */
export async function runDrills(
  request: DrillRequest,
  onResult: (result: DrillResult) => void,
): Promise<readonly DrillResult[]> {
  const { site, perSecond, emit, signal } = request;
  const results: DrillResult[] = [];
  for (const plan of planDrills(request)) {
    // The first one takes the cluster as it is; what comes after it waits until it is well again.
    const healthyWithinMs = results.length === 0 ? (request.healthyWithinMs ?? 0) : recoveryMs;
    const options = { emit, signal, perSecond, healthyWithinMs, now: () => new Date() };
    const result = judged(await runDrill(site, plan, options));
    results.push(result);
    onResult(result);
    if (signal.aborted) break;
  }
  return results;
}

export async function showDrill(directory: string, id: string): Promise<DrillResult> {
  return judged(await loadDrill(directory, id));
}

/** Heals what a drill that was killed has left broken. Gives what that was, in words. */
export async function healDrills(site: DrillSite): Promise<readonly string[]> {
  return (await healLeft(site)).map(({ fault, target }) => `${fault} of ${target}`);
}

export const drillReports = { table: drillTable, html: drillHtml, junit: drillJunit };

function judged(saved: SavedDrill): DrillResult {
  const { budget, watched, lost = [] } = saved.header;
  return { ...saved, judgement: judge(saved.history, { budget, watched, lost }) };
}
