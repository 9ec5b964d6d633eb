import type { RunOptions, RunResult } from '../../node/port.ts';
import type { Emit } from '../../report/event.ts';
import type { FaultUndo, LabFault } from '../faults/fault.ts';
import type { labPaths } from '../paths.ts';
import type { Topology } from '../topology/topology.ts';

/** What code that builds or changes a running lab may use. Every process started through it is in the lab's cgroup. */
export interface LabContext {
  readonly topology: Topology;
  readonly paths: ReturnType<typeof labPaths>;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** The lab's cgroup directories; `enterArgv` of cgroup.ts runs a command inside them. */
  readonly cgroups: readonly string[];
  /**
   * Runs a command on this machine, in the lab's cgroup (so that `lab down` finds it even after SIGKILL), and waits.
   * Throws `LAB_STOPPED` when the lab was taken down meanwhile, never for an exit code.
   */
  run(argv: readonly string[], opts?: RunOptions): Promise<RunResult>;
  /** Starts a daemon in the lab's cgroup, inside `netns` when given; output goes to `logs/NAME.log`. Gives its pid. */
  daemon(
    name: string,
    argv: readonly string[],
    opts?: { netns?: string; env?: Readonly<Record<string, string>> },
  ): Promise<number>;
}

export type MachineState = 'running' | 'off' | 'starting' | 'failed';

/**
 * How machines of a tier are run. The network (namespaces, links, routes), DNS and the balancer are the same for both
 * tiers and are there before `start` is called. Clients are plain namespaces in both.
 */
export interface Tier {
  /** Faults that only this tier can inject (power-off, disk full); the others are in faults/list.ts. */
  readonly faults: readonly LabFault[];
  /** Starts all masters and workers; resolves when each can be used (wire: stand-in answers; node: sshd answers). */
  start(cx: LabContext): Promise<void>;
  startMachine(cx: LabContext, machine: string): Promise<void>;
  /** `power-off` says no goodbye (everything is killed); `shutdown` is orderly. */
  stopMachine(cx: LabContext, machine: string, how: 'power-off' | 'shutdown'): Promise<void>;
  /** The argv on this machine that runs `argv` inside the lab machine, as root, with standard streams passed through. */
  execArgv(cx: LabContext, machine: string, argv: readonly string[]): readonly string[];
  state(cx: LabContext, machine: string): Promise<MachineState>;
  /**
   * For fault `stop`: ends a process and sees to it that nothing starts it again; gives what `letUp` needs. Absent where
   * machines are whole systems: then units and static pods are held down from inside (faults/hold-down.ts).
   */
  readonly holdDown?: HoldDown;
}

export interface HoldDown {
  down(cx: LabContext, machine: string, process: string): Promise<FaultUndo>;
  up(cx: LabContext, machine: string, process: string, undo: FaultUndo): Promise<void>;
}
