import { connect } from 'node:net';
import { chunks, type Flow } from '../steerer/flows.ts';
import { holdTestMs } from '../steerer/hold-test.ts';
import { maxFlows, type PodsAnswer, printPodsRequest } from './request.ts';

/** Asks the pods process to close the sockets of flows, some hundred at a time. A text says why it could not. */
export async function closePodFlows(path: string, flows: readonly Flow[]): Promise<number | string> {
  let closed = 0;
  for (const part of chunks(flows, maxFlows)) {
    const answer = await ask(path, printPodsRequest({ op: 'close', flows: part }), 10_000);
    if (!answer.ok) return `sockets of pods: ${answer.problem}`;
    if ('closed' in answer) closed += answer.closed;
  }
  return closed;
}

/** Asks the pods process whether held refusals move to another backend on this kernel. A text says why there is no verdict. */
export async function askHoldTest(path: string): Promise<boolean | string> {
  const answer = await ask(path, printPodsRequest({ op: 'hold-test' }), holdTestMs + 1000);
  if (!answer.ok) return answer.problem;
  return 'holds' in answer ? answer.holds : 'an answer to something else';
}

function ask(path: string, line: string, timeoutMs: number): Promise<PodsAnswer> {
  return new Promise((resolve) => {
    const socket = connect(path);
    const end = (answer: PodsAnswer) => {
      resolve(answer);
      socket.destroy();
    };
    let text = '';
    socket.setEncoding('utf8');
    socket.setTimeout(timeoutMs, () => end({ ok: false, problem: `${path} did not answer within ${timeoutMs} ms` }));
    socket.on('error', (error) => end({ ok: false, problem: error.message }));
    socket.on('close', () => end({ ok: false, problem: `${path} closed the connection` }));
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n')) end(readAnswer(text));
    });
    socket.write(`${line}\n`);
  });
}

function readAnswer(text: string): PodsAnswer {
  try {
    const value = JSON.parse(text) as Readonly<Record<string, unknown>>;
    if (value.ok === true && typeof value.closed === 'number') return { ok: true, closed: value.closed };
    if (value.ok === true && typeof value.holds === 'boolean') return { ok: true, holds: value.holds };
    if (value.ok === false && typeof value.problem === 'string') return { ok: false, problem: value.problem };
  } catch {
    // Falls through: it is no answer either way.
  }
  return { ok: false, problem: 'an answer that cannot be understood' };
}
