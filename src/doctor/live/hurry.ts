import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import { readOnly } from '../../node/read-only.ts';
import { formatDuration } from '../../std/duration.ts';

/** A read-only node that says `NODE_TIMEOUT` once `deadline` (as `performance.now()` counts) has passed, also while it connects. */
export function hurried(port: NodePort, deadline: number): NodePort {
  const from = performance.now();
  const within = async <T>(signal: AbortSignal | undefined, work: (signal: AbortSignal) => Promise<T>): Promise<T> => {
    const late = new AbortController();
    const error = new OperatorError(
      'NODE_TIMEOUT',
      `${port.name} had not answered after ${formatDuration(deadline - from)}`,
    );
    let timer: NodeJS.Timeout | undefined;
    const bell = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(
        () => {
          late.abort(error);
          reject(error);
        },
        Math.max(0, deadline - performance.now()),
      );
    });
    try {
      const either = signal === undefined ? late.signal : AbortSignal.any([signal, late.signal]);
      return await Promise.race([work(either), bell]);
    } finally {
      clearTimeout(timer);
    }
  };
  const node = readOnly(port);
  return {
    ...node,
    probe: (argv, opts = {}) => within(opts.signal, (signal) => node.probe(argv, { ...opts, signal })),
    readFile: (path, opts = {}) => within(opts.signal, (signal) => node.readFile(path, { signal })),
  };
}
