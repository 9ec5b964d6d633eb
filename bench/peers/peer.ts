import { accessSync } from 'node:fs';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';

/** One way for a client to reach the apiservers, as somebody ships it. */
export interface Peer {
  /** Short, as in tables and on the command line. */
  readonly name: string;
  /** Where its numbers come from. */
  readonly what: string;
  /** What has to be installed by hand; the bench says so and goes on without this peer. */
  readonly programs: readonly string[];
  /** Makes it work for clients on this machine of the lab. */
  start(lab: Lab, machine: string): Promise<RunningPeer>;
}

export interface RunningPeer extends AsyncDisposable {
  /** What clients on that machine dial. */
  readonly host: string;
  readonly port: number;
}

/** Programs of Debian that are not on PATH for everybody. */
export function missing(peer: Peer): readonly string[] {
  return peer.programs.filter((path) => {
    try {
      accessSync(path);
      return false;
    } catch {
      return true;
    }
  });
}
