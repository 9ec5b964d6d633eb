import type { ClientHttp2Session } from 'node:http2';
import type { AgentConfig } from '../config/config.ts';
import { type Log, onlyChanges } from '../log/log.ts';
import { get } from '../prober/get.ts';
import { readEndpoints } from './endpoints.ts';
import { announced, type Membership } from './membership.ts';
import { saveMembership } from './store.ts';

export interface PollContext {
  readonly config: () => AgentConfig;
  readonly endpoints: () => readonly string[];
  /** Connections to apiservers that are ready. */
  readonly ready: () => readonly { readonly name: string; readonly session: ClientHttp2Session }[];
  readonly file: string;
  readonly start: Membership;
  /** The membership may have changed. */
  readonly learned: (membership: Membership) => void;
  readonly log: Log;
  readonly now: () => number;
  readonly random: () => number;
  readonly wait: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** A master that joins is known within seconds; one apiserver sees 1 request in 15 s from a worker, and from all it sees a third. */
const everyMs = { 'control-plane': 5000, worker: 15_000 } as const;
const timeoutMs = 3000;
const mostBytes = 256 * 1024;
const endpointsPath = '/api/v1/namespaces/default/endpoints/kubernetes';
/** Kubelets may not read it on older clusters; asked for only where there is no Endpoints object. */
const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';

/** Asks the cluster who its apiservers are, at times of this agent's own, until `signal` aborts. */
export function pollMembership(cx: PollContext): {
  readonly done: Promise<void>;
  readonly state: () => { readonly answeredAt: number | undefined; readonly problem: string | undefined };
} {
  let membership = cx.start;
  let saved = cx.start;
  let answeredAt: number | undefined;
  let problem: string | undefined;
  let path = endpointsPath;
  const say = onlyChanges((text) => {
    if (text !== undefined) cx.log.warn({}, `membership: ${text}; what is known stays`);
  });

  /** Gives what is wrong in words. */
  const once = async (): Promise<string | undefined> => {
    const ready = cx.ready();
    const chosen = ready[Math.floor(cx.random() * ready.length)];
    if (chosen === undefined) return problem;
    const { name, session } = chosen;
    const got = await get(session, path, { timeoutMs, mostBytes, signal: cx.signal });
    if (got.status === 404 && path === endpointsPath) {
      path = slicesPath;
      return `${name} has no Endpoints default/kubernetes; its EndpointSlice is asked for from now on`;
    }
    if (got.status !== 200) {
      const asked = path;
      path = endpointsPath;
      const denied = got.status === 401 || got.status === 403;
      return `${name} said ${got.status} to ${asked}${denied ? ': this agent may not read who the apiservers are' : ''}`;
    }
    const config = cx.config();
    const read = readEndpoints(got.body, { apiServerPort: config.apiServerPort, endpoints: cx.endpoints() });
    if ('problem' in read) return `${name}: ${read.problem}`;
    const at = cx.now();
    const elapsedMs = answeredAt === undefined ? 0 : at - answeredAt;
    membership = announced(membership, read.addresses, { elapsedMs, config });
    answeredAt = at;
    return read.problems.length === 0 ? undefined : `${name} announces what is not used: ${read.problems.join('; ')}`;
  };

  const save = async () => {
    if (!worthSaving(saved, membership)) return;
    try {
      await saveMembership(cx.file, membership);
      saved = membership;
    } catch (error) {
      say(`${cx.file} cannot be written: ${String(error)}`);
    }
  };

  const poll = async () => {
    // The first soon after start, so that what is on disk is fresh; then each agent at its own times.
    await cx.wait(500 + cx.random() * 1000);
    while (!cx.signal.aborted) {
      if (cx.config().steer) {
        problem = await once().catch((error: unknown) => (error instanceof Error ? error.message : String(error)));
        if (cx.signal.aborted) return;
        say(problem);
        cx.learned(membership);
        await save();
      }
      await cx.wait(everyMs[cx.config().node.role] * (0.8 + cx.random() * 0.4));
    }
  };
  return { done: poll(), state: () => ({ answeredAt, problem }) };
}

/** Who is there is written at once; how long somebody has been absent may be ten minutes old after a power cut. */
function worthSaving(saved: Membership, current: Membership): boolean {
  if (saved.seen.size !== current.seen.size) return true;
  for (const [address, { absentMs, configured }] of current.seen) {
    const was = saved.seen.get(address);
    if (was === undefined || was.configured !== configured) return true;
    if ((was.absentMs === 0) !== (absentMs === 0) || Math.abs(was.absentMs - absentMs) > 600_000) return true;
  }
  return false;
}
