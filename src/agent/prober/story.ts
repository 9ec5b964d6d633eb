import type { Backend, Evidence } from '../backend/backend.ts';
import type { Change } from '../backend/fleet.ts';
import { patience } from '../backend/rtt.ts';

/** Why a backend changed its state: what was seen, in words that finish "m1 is suspect: …". */
export function reasonOf(change: Change, seen: Evidence, before: Backend): string {
  switch (change.to) {
    case 'suspect':
      return `no answer for ${ms(seen.at - (before.askedAt ?? seen.at))}, longer than its usual ${ms(patience(before.rtt))}`;
    case 'failed':
      return seen.is === 'refused'
        ? 'its connection ended and a new one was refused'
        : `silent for ${ms(seen.at - Math.max(before.heardAt, before.askedAt ?? 0))} while others answer`;
    case 'ready':
      return change.from === 'suspect' ? 'it answers in time again' : '/readyz says yes';
    case 'unready':
      return notReady(change, seen);
    case 'draining':
      return 'somebody asked for it to be drained';
    case 'unknown':
      return 'it was just added';
  }
}

function notReady(change: Change, seen: Evidence): string {
  if (seen.is === 'readyz-overdue') return '/readyz does not answer';
  if (change.from === 'failed') return 'it answers again, and has to be ready for a while first';
  return seen.is === 'drain' ? 'it is not drained any more, and not ready' : '/readyz says no';
}

function ms(value: number): string {
  return value < 10 ? `${value.toFixed(1)} ms` : `${Math.round(value)} ms`;
}
