import type { Outcome } from '../history/record.ts';

/** Pure: an error of the system in our words. */
export function outcomeOf(error: unknown): Outcome {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  switch (code) {
    case 'ECONNREFUSED':
      return { is: 'refused' };
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ECONNABORTED':
      return { is: 'reset' };
    case 'ETIMEDOUT':
      return { is: 'timeout', during: 'connect' };
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
    case 'EADDRNOTAVAIL':
      return { is: 'unreachable' };
    default:
      return { is: 'broken', why: code !== '' ? code : error instanceof Error ? error.message : String(error) };
  }
}

/** Pure: how an answer with this status counts. */
export function outcomeOfStatus(status: number): Outcome {
  return status >= 200 && status < 300 ? { is: 'ok' } : { is: 'http', status };
}
