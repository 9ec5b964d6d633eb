import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import { formatDuration } from '../../std/duration.ts';
import type { Question } from './question.ts';

// The loop runs on the node: one ssh session for the whole wait, and an answer within a fifth of a second of its being
// true. A line is printed when what is seen changes.
const loopScript = `
script=$1; shift
last=
while :; do
  if saw=$(sh -c "$script" hairpin-ask "$@" 2>&1); then exit 0; fi
  if [ "$saw" != "$last" ]; then printf '%s\\n' "$saw"; last=$saw; fi
  sleep 0.2
done
`;

export interface WaitOptions {
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  /** Told whenever something else is seen. */
  readonly onSeen?: (saw: string) => void;
}

/**
 * Waits until the node answers yes. Throws `HOLD_TIMEOUT` with what was wanted and what was last seen. A connection that
 * breaks meanwhile is opened again: waiting changes nothing, so it may be repeated.
 */
export async function waitUntil(node: NodePort, question: Question, opts: WaitOptions): Promise<void> {
  const end = performance.now() + opts.deadlineMs;
  let saw = 'nothing yet';
  while (true) {
    const timeout = end - performance.now();
    if (timeout <= 0) throw timedOut(node.name, question, saw, opts.deadlineMs);
    try {
      const argv = ['sh', '-c', loopScript, 'hairpin-wait', question.script, ...question.args];
      const { exitCode, stderr } = await node.probe(argv, {
        timeout,
        signal: opts.signal,
        onLine: (stream, line) => {
          if (stream !== 'stdout' || line.trim() === '') return;
          saw = line;
          opts.onSeen?.(line);
        },
      });
      if (exitCode === 0) return;
      saw = stderr.trim() === '' ? `the question ended with exit code ${exitCode}` : stderr.trim();
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error;
      if (error.code === 'NODE_TIMEOUT') throw timedOut(node.name, question, saw, opts.deadlineMs);
      if (error.code !== 'NODE_CONNECTION_LOST' && error.code !== 'NODE_UNREACHABLE') throw error;
      saw = error.message;
    }
    await pause(500, opts.signal);
  }
}

function timedOut(node: string, question: Question, saw: string, deadlineMs: number): OperatorError {
  return new OperatorError('HOLD_TIMEOUT', `Waited ${formatDuration(deadlineMs)} on ${node} for nothing`, {
    cause: `want: ${question.want}\nsaw:  ${saw}`,
  });
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason as Error);
    const timer = setTimeout(done, ms);
    function done() {
      signal.removeEventListener('abort', stop);
      resolve();
    }
    function stop() {
      clearTimeout(timer);
      reject(signal.reason as Error);
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}
