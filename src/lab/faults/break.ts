import { OperatorError } from '../../errors/operator-error.ts';
import { closest } from '../../std/closest.ts';
import { type RunningLab, unknownMachine } from '../runtime/open-lab.ts';
import type { FaultContext, FaultRecord, LabFault } from './fault.ts';
import { faultsOf } from './list.ts';
import { readFaults, removeFault, writeFault } from './records.ts';

export interface BreakRequest {
  readonly fault: string;
  /** A machine; absent for faults of the balancer. */
  readonly target?: string | undefined;
  readonly process?: string | undefined;
  readonly options?: Readonly<Record<string, string>>;
}

/** Breaks one thing. It stays broken until `healFaults`, whoever calls that, or until the lab is taken down. */
export async function breakLab(lab: RunningLab, request: BreakRequest): Promise<FaultRecord> {
  const fault = findFault(lab, request.fault);
  const target = targetOf(lab, fault, request);
  const cx: FaultContext = {
    lab: lab.cx,
    tier: lab.tier,
    target,
    process: processOf(fault, request),
    options: optionsOf(fault, request.options ?? {}),
  };
  const same = (await readFaults(lab.cx.paths)).find(
    (other) => other.fault === fault.name && other.target === target && other.process === cx.process,
  );
  if (same !== undefined) {
    throw new OperatorError('LAB_FAULT', `\`${fault.name}\` is in force on ${target} already`, {
      hint: `heal it first: hairpin lab heal ${fault.name} ${target} --lab ${lab.name}`,
    });
  }
  const why = fault.unavailable?.(cx);
  if (why !== undefined) throw new OperatorError('LAB_FAULT', `Cannot break ${target} with \`${fault.name}\`: ${why}`);
  const base = { fault: fault.name, target, process: cx.process, options: cx.options, since: new Date().toISOString() };
  // Recorded first: whoever is killed in between leaves a fault that can be seen and healed.
  await writeFault(lab.cx.paths, { ...base, undo: {} });
  try {
    const record: FaultRecord = { ...base, undo: await fault.inject(cx) };
    await writeFault(lab.cx.paths, record);
    return record;
  } catch (error) {
    await removeFault(lab.cx.paths, { ...base, undo: {} });
    throw error;
  }
}

/** Heals what is asked for, everything when nothing is; the newest first. Gives what was healed. */
export async function healFaults(
  lab: RunningLab,
  wanted: { readonly fault?: string | undefined; readonly target?: string | undefined } = {},
): Promise<readonly FaultRecord[]> {
  const inForce = await readFaults(lab.cx.paths);
  const chosen = inForce.filter(
    (record) =>
      (wanted.fault === undefined || record.fault === wanted.fault) &&
      (wanted.target === undefined || record.target === wanted.target),
  );
  if (chosen.length === 0 && (wanted.fault !== undefined || wanted.target !== undefined)) {
    throw new OperatorError('LAB_NAME_UNKNOWN', `Nothing like that is broken in lab \`${lab.name}\``, {
      hint: inForce.length === 0 ? 'nothing is broken at all' : `broken are ${inForce.map(inWords).join(', ')}`,
    });
  }
  for (const record of chosen.toReversed()) await healOne(lab, record);
  return chosen;
}

/** Breaks something and heals it when it goes out of scope, for tests and rehearsals. */
export async function withFault(lab: RunningLab, request: BreakRequest): Promise<AsyncDisposable> {
  const record = await breakLab(lab, request);
  return { [Symbol.asyncDispose]: () => healOne(lab, record) };
}

async function healOne(lab: RunningLab, record: FaultRecord): Promise<void> {
  const { target, process, options } = record;
  await findFault(lab, record.fault).heal({ lab: lab.cx, tier: lab.tier, target, process, options }, record.undo);
  await removeFault(lab.cx.paths, record);
}

function findFault(lab: RunningLab, name: string): LabFault {
  const faults = faultsOf(lab.tier);
  const found = faults.find((fault) => fault.name === name);
  if (found !== undefined) return found;
  const names = faults.map((fault) => fault.name);
  const near = closest(name, names);
  throw new OperatorError('LAB_NAME_UNKNOWN', `There is no fault \`${name}\` in the ${lab.spec.tier} tier`, {
    hint: `there is ${names.join(', ')}${near === undefined ? '' : `; did you mean \`${near}\`?`}`,
  });
}

function targetOf(lab: RunningLab, fault: LabFault, { target }: BreakRequest): string {
  if (fault.target === 'balancer') {
    if (target === undefined || target === 'balancer') return 'balancer';
    throw new OperatorError('USAGE', `\`${fault.name}\` is about the balancer and takes no machine`);
  }
  if (target === undefined) {
    throw new OperatorError('USAGE', `\`${fault.name}\` needs a machine`, {
      hint: `one of ${lab.cx.topology.machines.map(({ machine }) => machine.name).join(', ')}`,
    });
  }
  const machine = lab.cx.topology.machines.find((candidate) => candidate.machine.name === target);
  if (machine === undefined) throw unknownMachine(lab.cx, target);
  return target;
}

function processOf(fault: LabFault, { process }: BreakRequest): string | undefined {
  if (fault.target === 'process' && process === undefined) {
    throw new OperatorError('USAGE', `\`${fault.name}\` needs the name of a process`, {
      hint: `as in: hairpin lab break ${fault.name} m1 kube-apiserver`,
    });
  }
  if (fault.target !== 'process' && process !== undefined) {
    throw new OperatorError('USAGE', `\`${fault.name}\` is not about a process, but \`${process}\` was given`);
  }
  return process;
}

function optionsOf(fault: LabFault, given: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const known = fault.options ?? [];
  const stray = Object.keys(given).find((name) => !known.some((option) => option.name === name));
  if (stray !== undefined) {
    throw new OperatorError('USAGE', `\`${fault.name}\` has no option --${stray}`, {
      hint: known.length === 0 ? 'it has none' : `it has ${known.map(({ name }) => `--${name}`).join(', ')}`,
    });
  }
  return Object.fromEntries(
    known.flatMap(({ name, fallback }) => {
      const value = given[name] ?? fallback;
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function inWords({ fault, target, process }: FaultRecord): string {
  return [fault, target, ...(process === undefined ? [] : [process])].join(' ');
}
