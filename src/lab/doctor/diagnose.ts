import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { openScratch } from '../cache/scratch.ts';
import { cacheDir, stateDir } from '../paths.ts';
import { defaults } from '../spec/defaults.ts';
import type { Tier } from '../spec/lab-spec.ts';
import type { Finding, HostCheck, HostContext } from './check.ts';
import { hostChecks } from './checks/index.ts';
import { featureChecks, kernelChecks } from './checks/kernel.ts';
import { runTrials, trials } from './kernel-trial.ts';

export interface HostFinding {
  readonly name: string;
  readonly title: string;
  readonly finding: Finding;
}

/** What this machine can do for a lab, in the order of the lists. `fit` is false when something that is needed is absent. */
export interface HostReport {
  readonly tier: Tier;
  readonly fit: boolean;
  readonly findings: readonly HostFinding[];
}

export interface DiagnoseOptions {
  readonly signal: AbortSignal;
  /** Masters and workers that are planned; 4 unless given. */
  readonly nodes?: number;
  readonly kubernetes?: string;
  /** Also what stops nothing: features of the kernel. `lab up` does without. */
  readonly features?: boolean;
}

/** Looks at everything that a lab of this tier needs. Changes nothing: what is tried is tried in namespaces of its own. */
export async function diagnoseHost(tier: Tier, opts: DiagnoseOptions): Promise<HostReport> {
  const wanted = [...kernelChecks, ...(opts.features === true ? featureChecks : [])].filter(isFor(tier));
  const cx: HostContext = {
    stateDir: stateDir(),
    cacheDir: cacheDir(),
    nodes: opts.nodes ?? 4,
    kubernetes: opts.kubernetes ?? defaults.kubernetes,
    signal: opts.signal,
    trials: await tryKernel(wanted, opts.signal),
  };
  const checks = [...hostChecks.filter(isFor(tier)), ...wanted];
  const findings = await Promise.all(
    checks.map(async (check) => ({ name: check.name, title: check.title, finding: await ask(check, cx) })),
  );
  return { tier, fit: findings.every(({ finding }) => finding.is !== 'absent'), findings };
}

/** Refuses with every reason at once; says nothing when the machine is fit. */
export function requireFit(report: HostReport): void {
  if (report.fit) return;
  const reasons = report.findings.flatMap(({ title, finding }) =>
    finding.is === 'absent' ? [`not so: ${title} (${finding.saw}). ${finding.remedy}`] : [],
  );
  throw new OperatorError('HOST_UNFIT', `This machine cannot run a lab of tier ${report.tier}`, {
    cause: reasons.join('\n'),
    hint: `hairpin lab doctor --tier ${report.tier} shows everything that was looked at`,
  });
}

function isFor(tier: Tier): (check: HostCheck) => boolean {
  return (check) => check.tiers.includes(tier);
}

/** A check that cannot be made is one that is not passed. */
async function ask(check: HostCheck, cx: HostContext): Promise<Finding> {
  try {
    return await check.ask(cx);
  } catch (error) {
    cx.signal.throwIfAborted();
    const saw = error instanceof Error ? error.message : String(error);
    return { is: 'absent', saw, remedy: 'make this readable for the user that runs the lab' };
  }
}

async function tryKernel(wanted: readonly HostCheck[], signal: AbortSignal): Promise<HostContext['trials']> {
  if (process.geteuid?.() !== 0) return new Map();
  const names = new Set(wanted.map(({ name }) => name.slice(name.indexOf('/') + 1)));
  const chosen = trials.filter(({ name }) => names.has(name));
  // Only the overlay is tried on a file system of this machine; all else needs no place, so a kill can leave nothing.
  if (!names.has('overlay')) return await runTrials(chosen, { scratch: undefined, signal });
  await using scratch = await openScratch(join(stateDir(), '.doctor'));
  return await runTrials(chosen, { scratch: scratch.dir, signal });
}
