import type { DrillRecord } from '../history/record.ts';
import { type ClientJudged, judge } from '../judge/judge.ts';
import type { Cell, CellClient } from './cell.ts';
import type { ClientClass } from './variants.ts';

/** Share of connections that fail with nothing broken, by client; absent: none. */
export type Baseline = Readonly<Partial<Record<ClientClass, number>>>;

export type Measured = Pick<Cell, 'is' | 'reasons' | 'clients' | 'acknowledged' | 'wrong'>;

/** Failing up to the end is seen in the last connections before the fault was healed; some may still have succeeded. */
const nearTheEndMs = 1500;

/**
 * Pure: a history to a cell. Clients that fail with nothing broken are judged too, and do not make the experiment a bad
 * one: that they fail is what it shows.
 */
export function judgeCell(
  history: readonly DrillRecord[],
  opts: { readonly baseline: Baseline; readonly watched: 'every' | 'acknowledged' },
): Measured {
  const broken = (client: string) => (opts.baseline[client as ClientClass] ?? 0) > 0;
  const all = judge(history, { budget: { clients: {} }, watched: opts.watched });
  const sound = history.filter((record) => !('client' in record) || !broken(record.client));
  const { verdict } = judge(sound, { budget: { clients: {} }, watched: opts.watched });
  const everybodyBroken = all.clients.every(({ client }) => broken(client));
  const notes = history.flatMap((record) => (record.is === 'mark' && record.what === 'note' ? [record.text] : []));
  const reasons = verdict.is === 'bad-experiment' && !everybodyBroken ? [...notes, ...verdict.reasons] : [];
  const { window } = all;
  const forMs = window === undefined ? 0 : (window.healedAt ?? window.endAt) - window.faultAt;
  return {
    is: reasons.length === 0 ? 'measured' : 'bad',
    reasons,
    clients: all.clients.map((client) => cellClient(client, forMs, opts.baseline)),
    acknowledged: all.operations.acknowledged,
    wrong: all.operations.problems.map(({ object, why }) => `${object}: ${why}`),
  };
}

/** Pure: what the steady state says about each client. In the steady state failures are the result, not a bad experiment. */
export function baselineOf(history: readonly DrillRecord[]): Baseline {
  const { clients } = judge(history, { budget: { clients: {} }, watched: 'every' });
  return Object.fromEntries(
    clients.flatMap(({ client, connections }) => {
      const { failed = 0, attempts = 0 } = connections ?? {};
      return failed === 0 ? [] : [[client, Math.round((failed / attempts) * 100) / 100]];
    }),
  );
}

function cellClient({ client, connections, watches }: ClientJudged, forMs: number, baseline: Baseline): CellClient {
  const good = connections?.allGoodAfterMs ?? 0;
  return {
    client: client as ClientClass,
    attempts: connections?.attempts ?? 0,
    failed: connections?.failed ?? 0,
    failures: connections?.failures ?? {},
    longestOutageMs: connections?.longestOutageMs ?? 0,
    allGoodAfterMs: good === 'never' || (good > 0 && good >= forMs - nearTheEndMs) ? 'until-healed' : good,
    slowestMs: connections?.afterMs.max ?? 0,
    watchGapMs: watches?.longestGapMs ?? 0,
    stuckStreams: watches?.streams.filter((stream) => stream.is === 'stuck').length ?? 0,
    failsAnyway: baseline[client as ClientClass] ?? 0,
  };
}
