import { randomBytes } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import type { Emit } from '../../report/event.ts';
import { ourselves } from '../holder.ts';
import { runId } from '../journal.ts';
import { Locks, lockNode } from '../lock.ts';
import { Secrets } from '../secrets.ts';

/** Who runs what, and the secrets that live as long as it does. */
export interface RunIdentity {
  readonly id: string;
  readonly command: string;
  readonly by: string;
  readonly secrets: Secrets;
  /** Takes every secret out of what it passes on. */
  readonly emit: Emit;
}

export function beginRun(command: string, emit: Emit, now: Date): RunIdentity {
  const secrets = new Secrets();
  return {
    id: runId(now, randomBytes(2).toString('hex')),
    command,
    by: `${userInfo().username}@${hostname()}`,
    secrets,
    emit: (event) => emit(secrets.redactAll(event)),
  };
}

export interface LockedNodes extends AsyncDisposable {
  /** Nodes that could not be reached; they are not locked, and whoever looks at them will say why. */
  readonly unreachable: ReadonlyMap<string, OperatorError>;
  /** Aborted by the caller's signal, and when a lock is lost. */
  readonly signal: AbortSignal;
}

const unreachableCodes = new Set([
  'NODE_AUTH',
  'NODE_CONNECTION_LOST',
  'NODE_HOST_KEY',
  'NODE_SSH_CONFIG',
  'NODE_SUDO',
  'NODE_TIMEOUT',
  'NODE_UNREACHABLE',
]);

/**
 * Locks every node that can be reached, before anything is looked at: what a dead run left running is ended first, so
 * that facts do not change under the plan. Throws when somebody else holds a lock.
 */
export async function lockAll(
  nodes: ReadonlyMap<string, NodePort>,
  run: RunIdentity,
  signal: AbortSignal,
): Promise<LockedNodes> {
  const lost = new AbortController();
  const holder = ourselves(run.id, run.command);
  const locks = new Locks();
  const unreachable = new Map<string, OperatorError>();
  const failures: unknown[] = [];
  await Promise.all(
    [...nodes].map(async ([name, node]) => {
      try {
        locks.add(await lockNode(node, { holder, signal, onLost: (error) => lost.abort(error) }));
      } catch (error) {
        if (error instanceof OperatorError && unreachableCodes.has(error.code)) unreachable.set(name, error);
        else failures.push(error);
      }
    }),
  );
  if (failures.length > 0) {
    await locks[Symbol.asyncDispose]();
    throw failures.find((error) => error instanceof OperatorError && error.code === 'NODE_LOCKED') ?? failures[0];
  }
  for (const lock of locks.all) {
    if (lock.takenFrom !== undefined) {
      const { command, user, host, since } = lock.takenFrom;
      const left = lock.ended.length === 0 ? '' : `; ended what it left running: ${lock.ended.join(', ')}`;
      run.emit({ kind: 'note', text: `${lock.node}: \`${command}\` of ${user}@${host} (${since}) is dead${left}` });
    }
  }
  return {
    unreachable,
    signal: AbortSignal.any([signal, lost.signal]),
    [Symbol.asyncDispose]: () => locks[Symbol.asyncDispose](),
  };
}
