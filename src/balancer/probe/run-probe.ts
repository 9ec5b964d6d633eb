/**
 * The hairpin probe: measures what the balancer does with a node that dials it. It changes nodes for a moment (a table
 * that counts, a listener where nothing serves) and nothing of it stays: see observe-script.ts.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import { type Emit, task } from '../../report/event.ts';
import type { Address } from '../../std/address.ts';
import type { HealthCheck } from '../behaviour.ts';
import { classify, type ProbeVerdict } from './classify.ts';
import { countingRules, parseCounted } from './counting-rules.ts';
import { type Dialled, dial } from './dial.ts';
import { type Look, lookAt } from './look.ts';
import type { BackendObservation, ClientObservation, ProbeObservation, Try } from './observation.ts';
import { type Observer, startObserver } from './observer.ts';

export interface ProbeRequest {
  readonly nodes: readonly ProbeNode[];
  /** `addresses`: what the user wrote; empty for a name that DNS knows. */
  readonly endpoint: {
    readonly host: string;
    readonly domain: string | undefined;
    readonly addresses: readonly Address[];
    readonly port: number;
  };
  readonly backendPort: number;
  readonly healthCheck: HealthCheck;
  /** Connections from each node. 30 miss a master that gets one in three in 5 of a million cases. */
  readonly tries: number;
  /** Never start throw-away listeners: what does not serve is not measured. */
  readonly realOnly?: boolean;
}

export interface ProbeNode {
  readonly node: NodePort;
  readonly role: 'control-plane' | 'worker';
  readonly addresses: readonly Address[];
}

export interface ProbeReport {
  readonly at: string;
  readonly ms: number;
  readonly observation: ProbeObservation;
  readonly verdict: ProbeVerdict;
}

/** Nodes that are looked at together; each costs a few processes here. */
const width = 16;
const dialTimeout = 2500;

export async function runHairpinProbe(
  request: ProbeRequest,
  opts: { signal: AbortSignal; emit: Emit },
): Promise<ProbeReport> {
  const start = performance.now();
  const at = new Date().toISOString();
  const { emit, signal } = opts;
  const { looks, dialled } = await task(
    emit,
    'look',
    'look at the nodes',
    () => lookAtAll(request, signal),
    (found) => countNodes(found.looks),
  );
  const plan: Plan = {
    request,
    dialled,
    looks,
    served:
      looks.some((look) => look.role === 'control-plane' && look.serving) || request.realOnly === true
        ? 'real'
        : 'listener',
    table: `hairpin_probe_${randomBytes(3).toString('hex')}`,
    // Below the usual ephemeral ports (32768) and node ports (30000).
    firstPort: randomInt(20_000, 29_000 - request.tries * dialled.length),
  };
  const observation = dialled.length === 0 ? withoutDialling(plan) : await measure(plan, opts);
  return { at, ms: Math.round(performance.now() - start), observation, verdict: classify(observation) };
}

interface Plan {
  readonly request: ProbeRequest;
  readonly dialled: readonly Address[];
  readonly looks: readonly Look[];
  readonly served: 'real' | 'listener';
  readonly table: string;
  readonly firstPort: number;
}

async function measure(plan: Plan, opts: { signal: AbortSignal; emit: Emit }): Promise<ProbeObservation> {
  const { emit, signal } = opts;
  await using observers = await startAll(plan, opts);
  if (plan.served === 'listener') await waitForChecks(plan, observers.byNode, opts);
  const { tries } = plan.request;
  const tried = await task(
    emit,
    'dial',
    `dial ${plan.request.endpoint.host}:${plan.request.endpoint.port}`,
    (progress) => dialAll(plan, observers.byNode, signal, progress),
    (all) => `${tries} tries from each of ${countNodes(all.filter((one) => one.length > 0))}`,
  );
  for (const observer of observers.byNode.values()) if (observer.ended !== undefined) throw observer.ended;
  const counted = await Promise.all(plan.looks.map((look) => readCounted(plan, look, observers.byNode)));
  const certificates = await Promise.all(plan.looks.map((look) => ownCertificate(plan, look, signal)));
  return {
    ...common(plan),
    clients: plan.looks.map((look, i) => client(look, observers.byNode.get(look.name), tried[i] ?? [], counted[i])),
    backends: plan.looks.flatMap((look, i): BackendObservation[] => {
      if (look.role !== 'control-plane') return [];
      const observer = observers.byNode.get(look.name);
      return [
        {
          node: look.name,
          listening: look.serving || (plan.served === 'listener' && observer !== undefined),
          certificate: certificates[i],
          checksSeen: observer?.seen.length ?? 0,
          arrivedAt: [...(counted[i]?.arrived ?? [])].toSorted((a, b) => a - b),
          outsideAt: [...(counted[i]?.outside ?? [])].toSorted((a, b) => a - b),
        },
      ];
    }),
  };
}

async function lookAtAll(
  request: ProbeRequest,
  signal: AbortSignal,
): Promise<{ looks: readonly Look[]; dialled: readonly Address[] }> {
  const limit = pLimit(width);
  const look = (addresses: readonly Address[]) =>
    Promise.all(request.nodes.map((one) => limit(() => lookAt(one, request, addresses, signal))));
  const first = await look(request.endpoint.addresses);
  if (first.every((one) => one.failed !== undefined)) {
    throw new OperatorError('PROBE_NO_NODES', 'None of the nodes could be asked', {
      cause: first.map((one) => one.failed).join('\n'),
      hint: 'the probe runs on the nodes; make ssh to them work first',
    });
  }
  const dialled = balancerAddresses(request, first);
  // Routes can be asked for only when the addresses are known.
  const again = request.endpoint.addresses.length === 0 && dialled.length > 0;
  return { looks: again ? await look(dialled) : first, dialled };
}

/** What the user wrote; else what the name resolves to, without addresses of the nodes themselves (a hosts entry). */
function balancerAddresses(request: ProbeRequest, looks: readonly Look[]): Address[] {
  if (request.endpoint.addresses.length > 0) return [...request.endpoint.addresses];
  const own = new Set(looks.flatMap((look) => look.own.map((a) => a.text)));
  const found = new Map(
    looks
      .flatMap((look) => (look.lookup ?? []).map((a): [string, Address] => [a.text, a]))
      .filter(([text]) => !own.has(text) && !isLoopback(text)),
  );
  return [...found.values()];
}

function isLoopback(text: string): boolean {
  return text.startsWith('127.') || text === '::1';
}

/** All or nothing: when one cannot start, those that did are ended again. */
async function startAll(
  plan: Plan,
  opts: { signal: AbortSignal; emit: Emit },
): Promise<AsyncDisposable & { byNode: ReadonlyMap<string, Observer> }> {
  const { healthCheck, backendPort, nodes, tries } = plan.request;
  const ports = [...new Set([backendPort, healthCheck.port ?? backendPort])];
  const title =
    plan.served === 'listener' ? 'serve and count, until the probe is over' : 'count, until the probe is over';
  const wait = plan.served === 'listener' ? checkDeadline(healthCheck) : 0;
  const lifeSeconds = Math.ceil((wait + dialTimeout + tries * 100) / 1000) + 60;
  return task(opts.emit, 'observe', title, async () => {
    await using started = new AsyncDisposableStack();
    const byNode = new Map<string, Observer>();
    const limit = pLimit(width);
    const results = await Promise.allSettled(
      plan.looks.map((look, i) =>
        limit(async () => {
          const node = nodes[i];
          if (node === undefined || look.failed !== undefined) return;
          const observer = await startObserver(
            node.node,
            {
              node: look.name,
              table: plan.table,
              rules: countingRules({
                table: plan.table,
                own: look.own,
                nodes: [...nodes.flatMap((one) => one.addresses), ...look.own],
                dialled: plan.dialled,
                firstPort: plan.firstPort,
                lastPort: plan.firstPort + tries * plan.dialled.length - 1,
              }),
              lifeSeconds,
              httpsPath: healthCheck.protocol === 'https' ? healthCheck.path : undefined,
              listenOn: plan.served === 'listener' && look.role === 'control-plane' ? ports : [],
            },
            opts.signal,
          );
          byNode.set(look.name, started.use(observer));
        }),
      ),
    );
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    const kept = started.move();
    return { byNode, [Symbol.asyncDispose]: () => kept.disposeAsync() };
  });
}

/** Until `rise` checks have passed, with one more for a balancer that had just looked, and its timeout. */
function checkDeadline(check: HealthCheck): number {
  return check.intervalMs * (check.rise + 1) + check.timeoutMs + 1000;
}

async function waitForChecks(
  plan: Plan,
  observers: ReadonlyMap<string, Observer>,
  opts: { signal: AbortSignal; emit: Emit },
): Promise<void> {
  const { healthCheck, nodes } = plan.request;
  const own = new Set(nodes.flatMap((one) => one.addresses.map((a) => a.text)));
  const masters = plan.looks.filter((look) => look.role === 'control-plane' && observers.has(look.name));
  const passed = () =>
    masters.filter((look) => {
      const seen = observers.get(look.name)?.seen ?? [];
      return seen.filter((one) => !own.has(one.peer)).length >= healthCheck.rise;
    }).length;
  const deadline = performance.now() + checkDeadline(healthCheck);
  await task(
    opts.emit,
    'checks',
    'wait for the balancer’s health checks',
    async (progress) => {
      while (passed() < masters.length && performance.now() < deadline) {
        progress(`${healthCheck.rise} good checks wanted from each master`, passed(), masters.length);
        await pause(100, opts.signal);
      }
      // The balancer acts on the last answer after it has got it.
      await pause(300, opts.signal);
      return passed();
    },
    (count) => `${count} of ${masters.length} masters were checked`,
  );
}

/** As `sleep`, but an abort throws its own reason. */
async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => signal.throwIfAborted());
}

async function dialAll(
  plan: Plan,
  observers: ReadonlyMap<string, Observer>,
  signal: AbortSignal,
  progress: (detail: string, done?: number, total?: number) => void,
): Promise<(readonly Dialled[])[]> {
  const limit = pLimit(width);
  const { endpoint, nodes, tries } = plan.request;
  let done = 0;
  return Promise.all(
    plan.looks.map((look, i) =>
      limit(async () => {
        const node = nodes[i];
        if (node === undefined || !observers.has(look.name)) return [];
        const all: Dialled[] = [];
        for (const [n, to] of plan.dialled.entries()) {
          const firstPort = plan.firstPort + n * tries;
          all.push(
            ...(await dial(
              node.node,
              { to, port: endpoint.port, count: tries, firstPort, timeout: dialTimeout },
              signal,
            )),
          );
        }
        done += 1;
        progress('nodes', done, plan.looks.length);
        return all;
      }),
    ),
  );
}

async function readCounted(plan: Plan, look: Look, observers: ReadonlyMap<string, Observer>) {
  const node = plan.request.nodes.find((one) => one.node.name === look.name);
  if (node === undefined || observers.get(look.name)?.counting !== true) return undefined;
  const result = await node.node.probe(['nft', '-j', 'list', 'table', 'inet', plan.table], { timeout: 10_000 });
  return result.exitCode === 0 ? parseCounted(result.stdout) : undefined;
}

/** The certificate that a master serves on its own address: what the endpoint must show, too. */
async function ownCertificate(plan: Plan, look: Look, signal: AbortSignal): Promise<string | undefined> {
  const node = plan.request.nodes.find((one) => one.node.name === look.name);
  const to = node?.addresses[0];
  if (plan.served === 'listener' || !look.serving || node === undefined || to === undefined) return undefined;
  const [answer] = await dial(
    node.node,
    { to, port: plan.request.backendPort, count: 1, firstPort: 0, timeout: dialTimeout },
    signal,
  );
  return answer?.outcome.is === 'tls' ? answer.outcome.certificate : undefined;
}

function client(
  look: Look,
  observer: Observer | undefined,
  tried: readonly Dialled[],
  counted: ReturnType<typeof parseCounted> | undefined,
): ClientObservation {
  return {
    node: look.name,
    role: look.role,
    failed: look.failed,
    lookup: look.lookup,
    lookupFromHosts: look.lookupFromHosts,
    route: look.route,
    counting: observer?.counting === true && counted !== undefined,
    tries: tried.map(
      ({ sourcePort, outcome, ms }): Try => ({
        outcome,
        ms,
        left: counted?.left.has(sourcePort) ?? false,
        returned: counted?.returned.has(sourcePort) ?? false,
        stray: counted?.stray.has(sourcePort) ?? false,
      }),
    ),
  };
}

function common(plan: Plan): Pick<ProbeObservation, 'endpoint' | 'dialled' | 'backendPort' | 'served'> {
  const { host, port, domain } = plan.request.endpoint;
  const { dialled, served } = plan;
  return { endpoint: { host, port, domain }, dialled, backendPort: plan.request.backendPort, served };
}

function withoutDialling(plan: Plan): ProbeObservation {
  return { ...common(plan), clients: plan.looks.map((look) => client(look, undefined, [], undefined)), backends: [] };
}

function countNodes(all: readonly unknown[]): string {
  return `${all.length} node${all.length === 1 ? '' : 's'}`;
}
