import {
  type AgentTableOptions,
  renderAgentTable,
  renderMembers,
  renderTransition,
  type Steering,
} from '../../render/nftables/agent-table.ts';
import { familyWords } from '../../render/nftables/family.ts';
import { steerTable } from '../../render/nftables/steer.ts';
import type { Address, Family } from '../../std/address.ts';
import { backendProblem, endpointProblem } from './allowed.ts';
import type { SteererAnswer } from './answers.ts';
import type { Credentials } from './credentials.ts';
import { type Flow, halfOpen, waitedForInVain } from './flows.ts';
import type { HoldKnowledge } from './hold.ts';
import { parseListing, type SeenTable } from './listing.ts';
import { keepRoute, lookAtNetwork, type Network, removeRoute, sourceOf } from './network.ts';
import type { ParsedRequest } from './request.ts';
import { resetFlows } from './reset.ts';
import type { Ran, RunTool } from './run-tool.ts';
import type { Settings } from './settings.ts';

export interface SteererDeps {
  readonly settings: () => Settings;
  readonly run: RunTool;
  /** One nft transaction. */
  readonly transact: (text: string) => Promise<Ran>;
  readonly proberUid: number;
  readonly hold: HoldKnowledge;
  /** Closes sockets inside pods; a text when it cannot. */
  readonly pods: (flows: readonly Flow[]) => Promise<number | string>;
  /** Waits for new connections; `Fresh`. */
  readonly fresh: (endpoints: readonly Address[], port: number) => Promise<readonly string[]>;
  readonly credentials: (kubeconfig: string | undefined) => Promise<Credentials>;
  readonly log: (text: string) => void;
  readonly now: () => number;
  readonly random: () => number;
  /** Rises from one start to the next. */
  readonly firstEpoch: number;
}

type Answer = SteererAnswer<ParsedRequest['op']>;

export interface Steerer {
  /** Carries out one request. Never throws: what went wrong is in the answer. */
  handle(request: ParsedRequest): Promise<Answer>;
  /** Looks whether routes, uplinks and tables are still what they should be, and puts them right. */
  tend(): Promise<void>;
}

const families: readonly Family[] = [4, 6];
/** Uplinks and sources are looked at with every so many looks at the tables: a look is a dozen processes. */
const wholeLook = 4;
const toolsMs = 10 * 60_000;

/**
 * What holds CAP_NET_ADMIN: makes the tables, makes transitions, destroys flows. It decides nothing: the prober does, and
 * every value of the prober's has been parsed and is checked against the configuration here.
 */
export function createSteerer(deps: SteererDeps): Steerer {
  const { run, transact, log, now } = deps;
  let epoch = deps.firstEpoch;
  let endpoints: readonly Address[] = [];
  let network: Network | undefined;
  /** What new connections do now; `undefined` until it was decided, or read from the tables of an earlier process. */
  let steering: Steering | undefined;
  /** By family: how the table looked when it was last made. A family without one has no table of this process. */
  const made = new Map<Family, string>();
  let lane: Promise<unknown> = Promise.resolve();
  let toolsAt = Number.NEGATIVE_INFINITY;
  let tended = 0;

  /** Tables are changed by one request at a time. */
  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const next = lane.then(work);
    lane = next.catch(() => undefined);
    return next;
  }

  function optionsOf(family: Family): AgentTableOptions {
    const settings = deps.settings();
    const node = settings.node.find((a) => a.family === family);
    if (node === undefined || network === undefined) throw new Error(`this node has no IPv${family} address`);
    return {
      family,
      endpoints: endpoints.filter((a) => a.family === family),
      port: settings.port,
      apiServerPort: settings.apiServerPort,
      proberUid: deps.proberUid,
      uplinks: network.uplinks,
      node,
      sources: (steering?.backends ?? [])
        .filter((a) => a.family === family)
        .flatMap((backend) => {
          const source = network?.sources.get(backend.text);
          const isUsual = source === undefined || source.text === node.text || source.family !== family;
          return isUsual || endpoints.some((a) => a.text === source.text) ? [] : [{ backend, source }];
        }),
    };
  }

  async function list(family: Family): Promise<SeenTable | undefined> {
    const ran = await run(['nft', '-j', 'list', 'table', familyWords(family).table, steerTable]);
    if (ran.code === 127) throw new Error('nft is not installed: nothing can be steered');
    return ran.code === 0 ? parseListing(ran.stdout) : undefined;
  }

  /** Makes the table of one family what it should be; says whether it had to be made anew. */
  async function bringTable(family: Family): Promise<boolean> {
    const seen = await list(family);
    if (seen !== undefined) steering ??= seen.steering;
    const options = optionsOf(family);
    const known = made.get(family);
    if (seen !== undefined && known === markOf(seen, options) && sameSteering(family, seen.steering)) {
      const same =
        sameTexts(textsOf(seen.endpoints), textsOf(options.endpoints)) && sameTexts(seen.uplinks, options.uplinks);
      if (!same) await must(renderMembers(options));
      return false;
    }
    const wanted = steering ?? { backends: [], hold: false };
    // The prober asked for this a moment ago: that is a sign of life as good as a datagram.
    const wasLive = seen === undefined && known !== undefined ? options.endpoints : (seen?.live ?? []);
    const live = wasLive.filter((a) => options.endpoints.some((endpoint) => endpoint.text === a.text));
    await must(renderAgentTable(options, wanted, { present: seen, live: wanted.backends.length === 0 ? [] : live }));
    const after = await list(family);
    if (after === undefined) throw new Error(`the table was taken away while it was being made`);
    made.set(family, markOf(after, options));
    if (known !== undefined)
      log(`the steering table of IPv${family} was ${seen === undefined ? 'gone' : 'not as it was left'}: made anew`);
    return true;
  }

  function sameSteering(family: Family, seen: Steering): boolean {
    const of = (s: Steering | undefined) => textsOf((s?.backends ?? []).filter((a) => a.family === family)).join();
    return of(seen) === of(steering) && seen.hold === (steering?.hold ?? false);
  }

  async function must(text: string): Promise<void> {
    const ran = await transact(text);
    if (ran.code === 127) throw new Error('nft is not installed: nothing can be steered');
    if (ran.code !== 0) throw new Error(`nft refused a transaction: ${ran.stderr}`);
  }

  /** Tables of every family that has an endpoint or had one, made what they should be. */
  async function bringTables(): Promise<boolean> {
    const wanted = families.filter((f) => made.has(f) || endpoints.some((a) => a.family === f));
    const anew: boolean[] = [];
    for (const family of wanted) anew.push(await bringTable(family));
    return anew.includes(true);
  }

  async function ensure(wanted: readonly Address[]): Promise<SteererAnswer<'ensure'>> {
    const settings = deps.settings();
    // A table that somebody took away comes back before anything else is looked at: that takes longer.
    let anew = false;
    if (network !== undefined && made.size > 0 && sameTexts(textsOf(wanted), textsOf(endpoints)))
      anew = await bringTables();
    const [looked, missing] = await Promise.all([lookAtNetwork(settings, run), toolsAsKnown()]);
    network = looked;
    const verdicts = wanted.map((a) => ({ a, problem: problemOf(a, settings, looked) }));
    const accepted = verdicts.filter(({ problem }) => problem === undefined).map(({ a }) => a);
    const gone = endpoints.filter((a) => !accepted.some((b) => b.text === a.text));
    endpoints = accepted;
    const routes = await Promise.all(accepted.map((a) => keepRoute(a, settings.device, run)));
    await Promise.all(gone.map((a) => removeRoute(a, run)));
    anew = (await bringTables()) || anew;
    if (anew) epoch += 1;
    return {
      ok: true,
      endpoints: textsOf(accepted),
      problems: [...verdicts.map(({ problem }) => problem), ...routes, ...missing, deps.hold.problem()].filter(
        (text) => text !== undefined,
      ),
      epoch,
      holdWorks: deps.hold.works(),
    };
  }

  /** What is there stays there for a while; what is missing may come any time. */
  async function toolsAsKnown(): Promise<readonly string[]> {
    if (now() - toolsAt < toolsMs) return [];
    const missing = await missingTools(run);
    toolsAt = missing.length === 0 ? now() : Number.NEGATIVE_INFINITY;
    return missing;
  }

  function transition(): Promise<void> {
    return must(
      [...made.keys()]
        .map((family) => renderTransition(optionsOf(family), steering ?? { backends: [], hold: false }))
        .join(''),
    );
  }

  async function steer(request: Extract<ParsedRequest, { op: 'steer' }>): Promise<SteererAnswer<'steer'>> {
    const { backends, hold } = request;
    const start = now();
    const problem = backends.map((a) => backendProblem(a, endpoints)).find((text) => text !== undefined);
    if (problem !== undefined) return { ok: false, problem };
    if (made.size === 0) return { ok: false, problem: 'there is no table yet: ask for one first (ensure)' };
    const fromBalancer = (steering?.backends ?? []).length === 0;
    steering = { backends, hold: hold && deps.hold.works() };
    try {
      await transition();
    } catch {
      // Somebody took the table away; it comes back with this decision in it.
      if (await bringTables()) epoch += 1;
    }
    const ms = now() - start;
    void forgetHalfOpen(request, fromBalancer).catch((error: unknown) => log(textOf(error)));
    void learnSources(backends).catch((error: unknown) => log(textOf(error)));
    return { ok: true, ms };
  }

  /**
   * Connections that are half open stay with the backend they were sent to, also with a dead one: they have to start over.
   * Those of a backend that answers are let be: its answer would meet no entry, and the connection would lose a second.
   */
  async function forgetHalfOpen(to: Parameters<typeof waitedForInVain>[1], fromBalancer: boolean): Promise<void> {
    const { port } = deps.settings();
    for (const endpoint of endpoints) {
      for (const backend of waitedForInVain(endpoint, to, fromBalancer)) {
        await run(['conntrack', '-D', ...halfOpen(endpoint, port, backend)]);
      }
    }
  }

  /** The source for a backend that was never looked at (a new master); the transition did not wait for it. */
  async function learnSources(backends: readonly Address[]): Promise<void> {
    const unknown = backends.filter((a) => network !== undefined && !network.sources.has(a.text));
    if (unknown.length === 0) return;
    const found = await Promise.all(unknown.map(async (a) => [a.text, await sourceOf(a, run)] as const));
    await inTurn(async () => {
      if (network === undefined) return;
      const usual = new Set(textsOf(deps.settings().node));
      const news = found.flatMap(([backend, source]) => (source === undefined ? [] : [[backend, source] as const]));
      network = { ...network, sources: new Map([...network.sources, ...news]) };
      if (news.some(([, source]) => !usual.has(source.text))) await transition();
    });
  }

  async function status(): Promise<SteererAnswer<'status'>> {
    const seen = (await Promise.all(families.filter((f) => made.has(f)).map(list))).filter(
      (table) => table !== undefined,
    );
    return {
      ok: true,
      endpoints: seen.flatMap((table) =>
        table.endpoints.map((a) => ({
          address: a.text,
          live: table.live.some((b) => b.text === a.text),
          family: a.family,
        })),
      ),
      backends: textsOf(seen.flatMap((table) => table.steering.backends)),
      hold: seen.some((table) => table.steering.hold),
      steered: seen.reduce((sum, table) => sum + table.steered, 0),
      held: seen.reduce((sum, table) => sum + table.held, 0),
    };
  }

  async function answer(request: ParsedRequest): Promise<Answer> {
    switch (request.op) {
      case 'ensure':
        return await inTurn(() => ensure(request.endpoints));
      case 'steer':
        return await inTurn(() => steer(request));
      case 'reset': {
        const { port, apiServerPort, role } = deps.settings();
        // Not in turn: a transition never waits for flows to be destroyed.
        return await resetFlows(
          { backend: request.backend, endpoints, port, apiServerPort },
          { run, pods: deps.pods, now, random: deps.random, patience: role === 'worker' ? 250 : 0 },
        );
      }
      case 'credentials': {
        const found = await deps.credentials(deps.settings().kubeconfig);
        return { ok: true, ...found };
      }
      case 'fresh':
        return { ok: true, backends: [...(await deps.fresh(endpoints, deps.settings().port))] };
      case 'status':
        return await status();
    }
  }

  return {
    async handle(request) {
      try {
        return await answer(request);
      } catch (error) {
        return { ok: false, problem: textOf(error) };
      }
    },
    async tend() {
      if (made.size === 0) return;
      tended += 1;
      await inTurn(async () => {
        if (tended % wholeLook === 0) await ensure(endpoints);
        else {
          await Promise.all(endpoints.map((a) => keepRoute(a, deps.settings().device, run)));
          if (await bringTables()) epoch += 1;
        }
      }).catch((error: unknown) => log(textOf(error)));
    },
  };
}

/** Changes when the table does, and when the configuration says that it should. */
function markOf(seen: SeenTable, { port, apiServerPort, proberUid, node }: AgentTableOptions): string {
  return JSON.stringify([seen.fingerprint, port, apiServerPort, proberUid, node.text]);
}

function problemOf(endpoint: Address, settings: Settings, network: Network): string | undefined {
  const problem = endpointProblem(endpoint, settings, network.ipvs);
  if (problem !== undefined) return problem;
  return settings.node.some((a) => a.family === endpoint.family)
    ? undefined
    : `${endpoint.text} is not steered: this node has no IPv${endpoint.family} address`;
}

/** What steering goes on without, and what is lost by that. */
async function missingTools(run: RunTool): Promise<readonly string[]> {
  const [conntrack, ss] = await Promise.all([run(['conntrack', '--version']), run(['ss', '-V'])]);
  return [
    ...(conntrack.code === 127
      ? [
          'conntrack is not installed: connections that are half open wait for their own time-outs, and flows of a dead apiserver are not reset',
        ]
      : []),
    ...(ss.code === 127
      ? ['ss is not installed: flows of a dead apiserver end with their next packet, not at once']
      : []),
  ];
}

function textsOf(addresses: readonly Address[]): string[] {
  return addresses.map((a) => a.text);
}

function sameTexts(a: readonly string[], b: readonly string[]): boolean {
  return a.toSorted().join() === b.toSorted().join();
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
