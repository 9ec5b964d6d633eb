import { OperatorError } from '../../errors/operator-error.ts';
import type { RunOptions, RunResult } from '../../node/port.ts';
import { type Emit, silent } from '../../report/event.ts';
import { closest } from '../../std/closest.ts';
import type { LabSpec } from '../spec/lab-spec.ts';
import { namespaceExec } from '../tier/namespace-exec.ts';
import type { LabContext, Tier } from '../tier/tier.ts';
import { tierOf } from '../tier/tiers.ts';
import { createContext } from './context.ts';
import { labNames } from './list-labs.ts';
import { readState } from './state.ts';

/** A lab that is up, from whatever process. */
export interface RunningLab {
  readonly name: string;
  readonly spec: LabSpec;
  readonly cx: LabContext;
  readonly tier: Tier;
  /** The argv on this machine that runs `argv` inside a machine or a pod of the lab, as root. */
  argvIn(machine: string, argv: readonly string[]): readonly string[];
  /** Runs a command inside a machine or a pod of the lab and waits for it. */
  exec(machine: string, argv: readonly string[], opts?: RunOptions): Promise<RunResult>;
}

export async function openLab(
  lab: string,
  opts: { readonly emit?: Emit; readonly signal?: AbortSignal } = {},
): Promise<RunningLab> {
  const state = await readState(lab);
  if (state === undefined) throw await unknownLab(lab);
  if (state.phase !== 'up') {
    throw new OperatorError(
      'LAB_NAME_UNKNOWN',
      `Lab \`${lab}\` is not up: it is being made, or its \`up\` was killed`,
      {
        hint: `wait for it, or take it down with \`hairpin lab down --lab ${lab}\``,
      },
    );
  }
  const cx = createContext(state, {
    emit: opts.emit ?? silent,
    signal: opts.signal ?? new AbortController().signal,
  });
  const tier = await tierOf(state.spec.tier);
  const argvIn = (machine: string, argv: readonly string[]) => argvInside(cx, tier, machine, argv);
  return {
    name: lab,
    spec: state.spec,
    cx,
    tier,
    argvIn,
    exec: (machine, argv, runOptions) => cx.run(argvIn(machine, argv), runOptions),
  };
}

function argvInside(cx: LabContext, tier: Tier, name: string, argv: readonly string[]): readonly string[] {
  const pod = cx.topology.pods.find((candidate) => candidate.name === name);
  if (pod !== undefined) return namespaceExec(cx, pod.name, pod.netns, argv);
  const machine = cx.topology.machines.find((candidate) => candidate.machine.name === name);
  if (machine === undefined) throw unknownMachine(cx, name);
  // Outside clients are namespaces in every tier.
  return machine.machine.role === 'client'
    ? namespaceExec(cx, name, machine.netns, argv)
    : tier.execArgv(cx, name, argv);
}

export function unknownMachine(cx: LabContext, name: string): OperatorError {
  const names = [
    ...cx.topology.machines.map(({ machine }) => machine.name),
    ...cx.topology.pods.map((pod) => pod.name),
  ];
  return new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${cx.topology.spec.name}\` has no machine \`${name}\``, {
    hint: `it has ${names.join(', ')}`,
  });
}

async function unknownLab(lab: string): Promise<OperatorError> {
  const names = await labNames();
  const near = closest(lab, names);
  return new OperatorError('LAB_NAME_UNKNOWN', `There is no lab \`${lab}\``, {
    hint:
      names.length === 0
        ? 'make one with `hairpin lab up`'
        : `there is ${names.join(', ')}${near === undefined ? '' : `; did you mean \`${near}\`?`}`,
  });
}
