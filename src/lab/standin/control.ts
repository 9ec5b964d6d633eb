import { join } from 'node:path';
import { askControl } from '../control/client.ts';
import type { LabContext } from '../tier/tier.ts';
import type { StandinSwitches } from './handler.ts';

export interface StandinConfig {
  readonly machine: string;
  readonly port: number;
  /** Every address of the namespace when absent. */
  readonly host?: string;
  /** Addresses that it announces as `default/kubernetes`; none when absent. */
  readonly members?: readonly string[];
  readonly certFile: string;
  readonly keyFile: string;
  readonly socket: string;
  /** Of the store that all stand-ins of the lab share; without one nothing can be written. */
  readonly store?: string;
}

export type StandinRequest =
  | { readonly op: 'status' }
  | {
      readonly op: 'set';
      readonly ready?: boolean;
      readonly live?: boolean;
      readonly delayMs?: number;
      readonly members?: readonly string[];
    };

export interface StandinStatus extends Readonly<StandinSwitches> {
  readonly machine: string;
  readonly connections: number;
  readonly requests: number;
}

export function standinSocket(paths: Pick<LabContext['paths'], 'node'>, machine: string): string {
  return join(paths.node(machine), 'standin.sock');
}

/** Switches a running stand-in: not ready, not alive, slow. Gives what it is after that. */
export async function setStandin(
  paths: Pick<LabContext['paths'], 'node'>,
  machine: string,
  change: Omit<Extract<StandinRequest, { op: 'set' }>, 'op'>,
): Promise<StandinStatus> {
  return (await askControl(standinSocket(paths, machine), { op: 'set', ...change })) as StandinStatus;
}

export async function readStandin(paths: Pick<LabContext['paths'], 'node'>, machine: string): Promise<StandinStatus> {
  return (await askControl(standinSocket(paths, machine), { op: 'status' })) as StandinStatus;
}
