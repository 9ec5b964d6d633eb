import type { DrillRecord, EngineReport } from '../history/record.ts';
import { isFailed } from './connections.ts';
import { attemptsOf, type Window } from './window.ts';

/** An open loop that starts fewer than this share of what it planned has not done what the report says. */
const rateWithin = 0.01;

/**
 * Attempts that start so late are a sign of a machine that was too busy for the measurement, in milliseconds: but less than
 * half of what lies between two of them moves none to another one's turn. One may be late, and one in a hundred.
 */
const lateMs = 50;
const lateWithin = 0.01;

/** A cluster, or a machine, that is so slow before anything is broken cannot be told from a broken one. */
const slowMs = 500;
const slowWithin = 0.05;

/** Why the history proves nothing about the cluster; empty when the experiment was good. */
export function badExperiment(
  history: readonly DrillRecord[],
  clients: readonly string[],
  window: Window | undefined,
): readonly string[] {
  if (window === undefined) return ['the fault was never in force'];
  if (clients.length === 0) return ['no client said anything'];
  const engines = history.filter((r): r is EngineReport => r.is === 'engine');
  return clients.flatMap((client) => {
    const engine = engines.find((e) => e.client === client);
    if (engine === undefined) return [`the traffic of ${client} ended without a report`];
    const problems: string[] = [];
    const short = engine.planned - engine.started;
    if (engine.planned > 0 && short / engine.planned > rateWithin) {
      problems.push(`${client} started ${engine.started} of ${engine.planned} connections`);
    }
    const attempts = attemptsOf(history, client, 'new');
    // The first handshakes of a process, all clients' at the same moment, are before the beginning.
    const judged = attempts.filter((a) => a.scheduledAt >= window.beginAt);
    const tolerated = Math.max(lateMs, engine.forMs / Math.max(1, engine.planned) / 2);
    const late = judged.filter((a) => a.startedAt - a.scheduledAt > tolerated).length;
    if (late > Math.max(1, judged.length * lateWithin)) {
      problems.push(
        `${client} started ${late} of ${judged.length} connections more than ${Math.round(tolerated)} ms late`,
      );
    }
    // Counted as well as reported: a process that was frozen with its node does not know what it missed.
    if (attempts.length < engine.started) {
      problems.push(`${client} reported ${attempts.length} of the ${engine.started} connections that it started`);
    }
    const before = judged.filter((a) => a.scheduledAt < window.injectAt - slowMs);
    const failed = before.filter((a) => isFailed(a) && a.endedAt < window.injectAt);
    if (failed.length > 0) {
      problems.push(`${client} had ${failed.length} of ${before.length} connections fail before the fault`);
    }
    // Those that were still waiting when the fault came would be put down to it.
    const slow = before.filter((a) => a.endedAt - a.scheduledAt > slowMs);
    if (slow.length > before.length * slowWithin) {
      problems.push(
        `${client} waited more than ${slowMs} ms for ${slow.length} of ${before.length} connections before the fault`,
      );
    }
    return problems;
  });
}
