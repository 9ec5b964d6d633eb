import { get as httpGet } from 'node:http';
import { get as httpsGet } from 'node:https';
import { connect } from 'node:net';
import type { HealthCheck } from '../../balancer/behaviour.ts';
import type { Address } from '../../std/address.ts';

export interface CheckResult {
  readonly passed: boolean;
  readonly ms: number;
  /** Why it failed, for people. */
  readonly problem: string | undefined;
}

/**
 * One health check, as balancers make them: a connection of its own from the probe address, nothing reused. TCP passes
 * when the handshake does; HTTP and HTTPS need a 200. Certificates are not verified, as no product in the table does
 * for a backend that it was not given a CA for. Never throws: whatever goes wrong is a failed check.
 */
export async function checkOnce(
  target: { readonly address: Address; readonly port: number },
  check: HealthCheck,
  from: Address | undefined,
): Promise<CheckResult> {
  const begin = performance.now();
  const problem = await new Promise<string | undefined>((resolve) => {
    let stop: () => void = () => undefined;
    const done = (why: string | undefined) => {
      clearTimeout(timer);
      resolve(why);
      stop();
    };
    const timer = setTimeout(() => done(`no answer within ${check.timeoutMs} ms`), check.timeoutMs);
    try {
      stop = dial(target, check, from, done);
    } catch (error) {
      done(String(error));
    }
  });
  return { passed: problem === undefined, ms: performance.now() - begin, problem };
}

/** Starts one check and gives what ends it. `done` gets the problem, or `undefined` for a pass. */
function dial(
  target: { readonly address: Address; readonly port: number },
  check: HealthCheck,
  from: Address | undefined,
  done: (problem: string | undefined) => void,
): () => void {
  const where = {
    host: target.address.text,
    port: target.port,
    family: target.address.family,
    ...(from === undefined ? {} : { localAddress: from.text }),
  };
  if (check.protocol === 'tcp') {
    const socket = connect(where, () => done(undefined));
    socket.on('error', (error) => done(error.message));
    // RST and not FIN, so that no TIME_WAIT of a check can ever meet a client's port.
    return () => socket.resetAndDestroy();
  }
  const get = check.protocol === 'https' ? httpsGet : httpGet;
  const request = get(
    { ...where, path: check.path, agent: false, rejectUnauthorized: false, headers: { 'user-agent': 'lab-balancer' } },
    (response) => {
      response.resume();
      done(response.statusCode === 200 ? undefined : `${check.path} says ${response.statusCode}`);
    },
  );
  request.on('error', (error) => done(error.message));
  return () => request.destroy();
}
