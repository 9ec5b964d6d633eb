import { readFile, stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatDiagnostic } from '../../errors/diagnostic.ts';
import { parseAddress } from '../../std/address.ts';
import { type Backend, deadAfterMs, type Evidence } from '../backend/backend.ts';
import {
  type Change,
  decide,
  type Fleet,
  type FleetOutcome,
  lagMs,
  newFleet,
  observeMember,
  tick,
  tickMs,
  withMembers,
} from '../backend/fleet.ts';
import type { AgentConfig } from '../config/config.ts';
import { readAgentConfig } from '../config/read-config.ts';
import { addressesOf, type Names, noNames, resolved } from '../dns/names.ts';
import { openResolver } from '../dns/resolver.ts';
import { type Log, onlyChanges } from '../log/log.ts';
import { readEndpoints } from '../membership/endpoints.ts';
import { announced, type Member, type Membership, members } from '../membership/membership.ts';
import { loadMembership, saveMembership } from '../membership/store.ts';
import type { AgentStatus } from '../status/document.ts';
import { type Connection, keepProbing, type ProbeTarget } from './connection.ts';
import { credentialStore } from './credentials.ts';
import { get } from './get.ts';
import { lagGauge } from './lag.ts';
import { openRenewer, renewEveryMs } from './renewal.ts';
import { openSteererLink } from './steerer-link.ts';
import {
  afterEnsure,
  forgotten,
  type InForce,
  mayRenew,
  nextTransition,
  nothingInForce,
  sameTarget,
  type Target,
} from './steering.ts';
import { reasonOf } from './story.ts';
import { hurriedWorkerTiming, masterTiming, type ProbeTiming, workerTiming } from './timing.ts';

/** What the rest of the agent hears of the prober, for metrics. */
export interface ProberEvents {
  readonly rtt?: (backend: string, ms: number) => void;
  readonly change?: (change: Change, reason: string) => void;
  readonly reset?: (backend: string, flows: { readonly node: number; readonly pods: number }) => void;
  readonly renewed?: (result: 'renewed' | 'passed' | 'failed') => void;
  /** The table is there, or cannot be had for the moment: the node need not wait for this agent any longer. */
  readonly started?: () => void;
}

export interface ProberOptions {
  readonly config: AgentConfig;
  readonly sha256: string;
  /** Printed, and read again by `reload`. */
  readonly configFile: string;
  readonly steererSocket: string;
  readonly drainFile: string;
  readonly membershipFile: string;
  /** As `hairpin --version` has it. */
  readonly program: string;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly random: () => number;
  readonly events?: ProberEvents;
}

export interface Prober {
  readonly status: () => AgentStatus;
  readonly config: () => AgentConfig;
  /** Reads the file again; a bad one is refused with its diagnostics in the log, and what was in force stays so. */
  readonly reload: () => Promise<boolean>;
  /** Resolves when `signal` has aborted and everything is closed. The table is left alone: it lapses by itself. */
  readonly done: Promise<void>;
}

/** Nobody decides on the first answer alone: the others get this long to come first. */
const settleMs = 150;
/** After this without any answer the agent says what it has: nobody, so the balancer. */
const undecidedMs = 2000;
/** All nodes see the same death; their clients must not all come back at one moment. Crash ≤ 1 s, hang ≤ 4 s in all. */
const resetJitterMs = 500;
const resetTries = 5;
/** After a suspicion a gentle prober asks everybody as often as a master. */
const hurryMs = 10_000;
const pollMs = { 'control-plane': 5000, worker: 15_000 } as const;
const pollTimeoutMs = 3000;
const mostEndpointsBytes = 256 * 1024;
const credentialsEveryMs = 60_000;
const drainEveryMs = 1000;
const transitionTimeoutMs = 5000;
const resetTimeoutMs = 10_000;

interface Probe {
  readonly address: string;
  readonly key: string;
  readonly stop: AbortController;
  connection: Connection | undefined;
  trouble: { readonly text: string; readonly at: number } | undefined;
  reason: string | undefined;
}

/** Starts to probe and to steer. Waits for nothing but the membership file; throws only for defects. */
export async function startProber(opts: ProberOptions): Promise<Prober> {
  const { log, signal, now, random } = opts;
  const startedAt = now();
  let config = opts.config;
  let sha256 = opts.sha256;
  let configProblems: readonly string[] = [];

  const loaded = await loadMembership(opts.membershipFile);
  if (loaded.problem !== undefined) log.warn({}, loaded.problem);
  let membership: Membership = loaded.membership;
  let membershipSaved = membership;
  let answeredAt: number | undefined;
  let membershipProblem: string | undefined;

  let names: Names = noNames;
  let dnsProblem: string | undefined;
  let endpoints: readonly string[] = [];

  let known: readonly Member[] = [];
  let fleet: Fleet = newFleet([], startedAt);
  const probes = new Map<string, Probe>();
  let hurryUntil = Number.NEGATIVE_INFINITY;
  const lag = lagGauge();

  let target: Target | undefined;
  let targetNames: readonly string[] = [];
  let targetSince = startedAt;
  let because = 'the agent has started';
  let inForce: InForce = nothingInForce;
  let steererProblem: string | undefined;
  let renewedAt: number | undefined;
  let tableProblem: string | undefined;
  let renewing = false;
  let drained: ReadonlySet<string> = new Set();
  const counters = { transitions: 0, switches: 0, resets: 0, renewals: 0, repairs: 0, reloads: 0 };

  let wake = Promise.withResolvers<void>();
  const nudge = () => wake.resolve();
  const wakeTimer = (ms: number) => sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);

  // ---- what is seen

  const see = (name: string, seen: Evidence) => {
    // Whatever comes after a pause of our own is judged only after the pause is forgiven.
    if (seen.at - fleet.tickedAt > tickMs + lagMs) turn(seen.at);
    const before = fleet.members.get(name)?.backend;
    if (before === undefined) return;
    if (seen.is === 'answered' && seen.rttMs !== undefined) opts.events?.rtt?.(name, seen.rttMs);
    take(observeMember(fleet, name, seen), seen, new Map([[name, before]]));
  };

  /** A turn of the loop: everybody is judged anew. */
  const turn = (at: number) => {
    lag.note(at - fleet.tickedAt - tickMs, at);
    const before = new Map([...fleet.members].map(([name, { backend }]) => [name, backend]));
    const late = at - fleet.tickedAt > tickMs + lagMs;
    if (late) log.warn({ lagMs: Math.round(at - fleet.tickedAt - tickMs) }, lagSentence(at - fleet.tickedAt));
    take(tick(fleet, at), { is: 'tick', at, othersHeardAt: at }, before);
    decideAgain(target === undefined ? 'the agent has started' : 'nobody has answered for three seconds', at);
  };

  const take = (outcome: FleetOutcome, seen: Evidence, before: ReadonlyMap<string, Backend>) => {
    fleet = outcome.fleet;
    for (const change of outcome.changes) {
      const was = before.get(change.name);
      const reason = was === undefined ? '' : reasonOf(change, seen, was);
      changed(change, reason, seen.at);
    }
  };

  const changed = (change: Change, reason: string, at: number) => {
    counters.transitions += 1;
    const probe = probes.get(change.name);
    if (probe !== undefined) probe.reason = reason;
    opts.events?.change?.(change, reason);
    const fields = { backend: change.name, from: change.from, to: change.to };
    const trouble = change.to === 'unready' && probe?.trouble !== undefined ? ` (${probe.trouble.text})` : '';
    const level = ['failed', 'unready', 'suspect'].includes(change.to) ? 'warn' : 'info';
    log[level](fields, `${change.name} is ${change.to}: ${reason}${trouble}`);
    if (change.to === 'suspect') hurry(at);
    if (change.destroyFlows) void resetFlows(change.name);
    decideAgain(`${change.name} is ${change.to}: ${reason}`, at);
  };

  /** A gentle prober must learn quickly whether the others answer: silence only counts against one who is alone in it. */
  const hurry = (at: number) => {
    if (config.node.role === 'control-plane') return;
    hurryUntil = at + hurryMs;
    for (const probe of probes.values()) probe.connection?.ping();
  };

  const timing = (): ProbeTiming => {
    if (config.node.role === 'control-plane') return masterTiming;
    return now() < hurryUntil ? hurriedWorkerTiming : workerTiming;
  };

  // ---- whom to steer to

  const decideAgain = (why: string, at: number) => {
    const decision = decide(fleet);
    if (target === undefined && config.steer) {
      const everybodySpoke = [...fleet.members.values()].every(({ backend }) => backend.state !== 'unknown');
      const patient = decision.backends.length > 0 ? settleMs : undecidedMs;
      if (at - startedAt < patient && !(everybodySpoke && decision.backends.length > 0)) return;
    }
    const backends = decision.backends.flatMap((name) => steerable(name)).toSorted();
    const next: Target = { backends, hold: decision.hold && backends.length > 0 };
    if (sameTarget(next, target)) return;
    target = next;
    targetNames = decision.backends;
    targetSince = at;
    because = why;
    nudge();
  };

  /** The addresses of a member in the families that the endpoint has. */
  const steerable = (name: string): readonly string[] => {
    const families = new Set(endpoints.map((text) => isIP(text)));
    return (known.find((member) => member.name === name)?.addresses ?? []).filter((text) => families.has(isIP(text)));
  };

  const nameOf = (address: string): string =>
    known.find((member) => member.addresses.includes(address))?.name ?? address;

  // ---- whom to probe

  const remember = (why: string) => {
    const at = now();
    known = config.steer ? members(membership, config) : [];
    fleet = withMembers(fleet, known, at);
    const wantedProbes = new Map(known.map((member) => [member.name, probedAddress(member)]));
    for (const [name, probe] of probes) {
      const address = wantedProbes.get(name);
      if (address !== undefined && probe.key === probeKey(address)) continue;
      probe.stop.abort();
      probes.delete(name);
      if (address === undefined) log.info({ backend: name }, `${name} is not asked any more: ${why}`);
    }
    for (const member of known) {
      const address = probedAddress(member);
      if (!probes.has(member.name)) startProbe(member.name, address, why);
    }
    applyDrain();
    decideAgain(why, at);
  };

  /** One connection tells about the machine; it goes where the clients' would. */
  const probedAddress = (member: Member): string => {
    const families = new Set(endpoints.map((text) => isIP(text)));
    return member.addresses.find((text) => families.has(isIP(text))) ?? member.addresses[0] ?? '';
  };

  const probeKey = (address: string): string => `${address} ${config.apiServerPort} ${config.endpoint.host}`;

  const startProbe = (name: string, address: string, why: string) => {
    const stop = new AbortController();
    const probe: Probe = {
      address,
      key: probeKey(address),
      stop,
      connection: undefined,
      trouble: undefined,
      reason: undefined,
    };
    probes.set(name, probe);
    log.info({ backend: name, address }, `${name} is asked at ${address}: ${why}`);
    const say = onlyChanges((text) => {
      if (text !== undefined) log.info({ backend: name }, `${name}: ${text}`);
    });
    const target: ProbeTarget = {
      address,
      port: config.apiServerPort,
      endpoint: config.endpoint.host,
      ca: readCa,
      credentials: () => credentials.current(),
    };
    void keepProbing(
      target,
      {
        evidence: (seen) => {
          if (probes.get(name) === probe) see(name, seen);
        },
        trouble: (text) => {
          probe.trouble = { text, at: now() };
          say(text);
          if (text.includes('said 401')) void renewCredentials();
        },
        connected: (connection) => {
          probe.connection = connection;
        },
      },
      { timing, signal: AbortSignal.any([signal, stop.signal]), now, random },
    );
  };

  const readCa = async (): Promise<string> => {
    for (const path of config.ca) {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      if (text !== undefined) return text;
    }
    throw new Error(`the cluster's CA is not there yet (${config.ca.join(', ')})`);
  };

  // ---- drain

  const applyDrain = () => {
    const at = now();
    for (const [name, { backend }] of fleet.members) {
      const on = drained.has(name);
      if (backend.drained !== on) see(name, { is: 'drain', at, on });
    }
  };

  const lookAtDrain = async () => {
    const here = await stat(opts.drainFile).then(
      () => true,
      () => false,
    );
    const own = known.find(({ self }) => self)?.name;
    drained = new Set([...(config.draining ?? []), ...(here && own !== undefined ? [own] : [])]);
    applyDrain();
  };

  // ---- the steerer

  const sayEnsure = onlyChanges((text) => {
    if (text !== undefined) log.warn({}, text);
  });
  const saySteerer = onlyChanges((text) => {
    if (text !== undefined)
      log.error({}, `${text}; probing goes on, and what is steered lapses to the balancer when it is wrong`);
  });
  const link = openSteererLink(
    opts.steererSocket,
    {
      up: () => {
        if (steererProblem !== undefined) log.info({}, 'the steerer is there again; everything is said to it anew');
        steererProblem = undefined;
        saySteerer(undefined);
        inForce = forgotten(inForce);
        nudge();
      },
      down: (why) => {
        steererProblem = `no connection to the steerer at ${opts.steererSocket}: ${why}`;
        saySteerer(steererProblem);
        nudge();
      },
    },
    { signal },
  );
  // A reset enters every pod and may take long; a transition must not wait behind it.
  const errands = openSteererLink(
    opts.steererSocket,
    { up: () => void renewCredentials(), down: () => undefined },
    { signal },
  );
  const credentials = credentialStore(
    errands,
    onlyChanges((text) => {
      if (text !== undefined && errands.up()) log.info({}, text);
    }),
  );

  let renewingCredentials = false;
  const renewCredentials = async () => {
    if (renewingCredentials) return;
    renewingCredentials = true;
    try {
      if (!(await credentials.refresh())) return;
      for (const probe of probes.values()) {
        const { connection } = probe;
        if (connection === undefined) continue;
        await wakeTimer(random() * 1000);
        if (probe.connection === connection) connection.redial();
      }
    } finally {
      await wakeTimer(5000);
      renewingCredentials = false;
    }
  };

  let started = false;
  const begin = () => {
    if (started) return;
    started = true;
    opts.events?.started?.();
  };

  /** What the steerer should do: on nodes that do not steer (any more) nothing, once it has been asked for something. */
  const wanted = () =>
    config.steer ? { endpoints, target } : { endpoints: inForce.ensured ?? [], target: { backends: [], hold: false } };

  const steerAlways = async () => {
    let pause = 50;
    while (!signal.aborted) {
      wake = Promise.withResolvers<void>();
      const request = link.up() ? nextTransition(wanted(), inForce) : undefined;
      if (request === undefined) {
        await Promise.race([wake.promise, aborted]);
        continue;
      }
      const asked = { askedAt: now(), because, since: targetSince };
      let problem: string | undefined;
      try {
        if (request.op === 'ensure') {
          const answer = await link.ask<'ensure'>(request, { timeoutMs: transitionTimeoutMs });
          if (answer.ok) {
            if (inForce.epoch !== undefined && inForce.epoch !== answer.epoch) counters.repairs += 1;
            const made = inForce.epoch !== answer.epoch;
            inForce = afterEnsure(request.endpoints, answer);
            sayEnsure(answer.problems.length === 0 ? undefined : answer.problems.join('; '));
            const ms = round(now() - asked.askedAt);
            if (made) {
              const held = answer.holdWorks ? 'refusals can be held' : 'refusals cannot be held on this kernel';
              log.info(
                { endpoints: answer.endpoints, ms },
                `the steering table for ${list(answer.endpoints)} is there; ${held}`,
              );
            }
          } else problem = answer.problem;
          begin();
        } else {
          const answer = await link.ask<'steer'>(request, { timeoutMs: transitionTimeoutMs });
          if (answer.ok) {
            const before = inForce.target;
            inForce = { ...inForce, target: { backends: request.backends, hold: request.hold } };
            told(before, { backends: request.backends, hold: request.hold }, { ...asked, kernelMs: answer.ms });
            void renew();
          } else problem = answer.problem;
        }
      } catch (error) {
        problem = error instanceof Error ? error.message : String(error);
        inForce = forgotten(inForce);
      }
      if (problem === undefined) {
        pause = 50;
        continue;
      }
      log.warn({ op: request.op }, `the steerer did not ${request.op}: ${problem}`);
      await Promise.race([wakeTimer(pause), aborted]);
      pause = Math.min(pause * 2, 5000);
    }
  };

  const told = (
    before: Target | undefined,
    after: Target,
    took: { readonly askedAt: number; readonly because: string; readonly since: number; readonly kernelMs: number },
  ) => {
    if (sameTarget(before, after)) return;
    counters.switches += 1;
    const at = now();
    const { backends, hold } = after;
    const where = backends.length === 0 ? 'the balancer' : list(backends.map(nameOf));
    const sinceSeenMs = round(at - took.since);
    const fields = { backends, hold, ms: round(at - took.askedAt), sinceSeenMs, kernelMs: round(took.kernelMs) };
    const held = hold ? ', refusals are held' : '';
    log.info(
      fields,
      `new connections go to ${where}${held}: ${took.because}; in force ${sinceSeenMs} ms after that was seen`,
    );
  };

  // ---- the dead man's switch

  const renewer = openRenewer();
  let passedInARow = 0;
  let repairAfter = Number.NEGATIVE_INFINITY;
  const sayTable = onlyChanges((text) => {
    if (text !== undefined) log.warn({}, text);
  });

  const renew = async () => {
    const stateOf = (address: string) => fleet.members.get(nameOf(address))?.backend.state;
    renewing = mayRenew(inForce.target, wanted().target, stateOf);
    if (!renewing) return;
    for (const address of inForce.endpoints) {
      const result = await renewer.send(address, config.endpoint.port);
      opts.events?.renewed?.(result.is);
      const at = now();
      if (result.is === 'renewed') {
        counters.renewals += 1;
        renewedAt = at;
        passedInARow = 0;
        tableProblem = undefined;
        sayTable(undefined);
        continue;
      }
      tableProblem =
        result.is === 'passed'
          ? `a renewing datagram to ${address} was not taken: the steering table is gone or changed`
          : `a renewing datagram to ${address} could not be sent: ${result.why}`;
      sayTable(`${tableProblem}; it is put back`);
      if (at < repairAfter) continue;
      // A table that is put back and is gone again each time is somebody else's work too: do not fight it at full speed.
      passedInARow += 1;
      repairAfter = passedInARow <= 3 ? at : at + Math.min(60_000, 1000 * 2 ** (passedInARow - 3));
      inForce = forgotten(inForce);
      nudge();
    }
  };

  // ---- resets

  const resetFlows = async (name: string) => {
    await wakeTimer(random() * resetJitterMs);
    const addresses = known.find((member) => member.name === name)?.addresses ?? [];
    for (const backend of addresses) {
      for (let attempt = 1; attempt <= resetTries; attempt += 1) {
        if (signal.aborted) return;
        // It answers again: its flows may live.
        if (fleet.members.get(name)?.backend.state !== 'failed') return;
        try {
          const answer = await errands.ask<'reset'>({ op: 'reset', backend }, { timeoutMs: resetTimeoutMs });
          if (!answer.ok) throw new Error(answer.problem);
          counters.resets += 1;
          opts.events?.reset?.(name, answer);
          const flows = `${answer.node} of this node and ${answer.pods} of its pods`;
          log.info(
            { backend: name, address: backend, ...answer },
            `flows to ${name} were ended: ${flows}, in ${round(answer.ms)} ms`,
          );
          break;
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error);
          log.warn({ backend: name, attempt }, `flows to ${name} could not be ended: ${why}`);
          await wakeTimer(1000);
        }
      }
    }
  };

  // ---- names

  const setEndpoints = (next: readonly string[], why: string) => {
    if (next.length === endpoints.length && next.every((text, index) => text === endpoints[index])) return;
    endpoints = next;
    log.info(
      { endpoints: next },
      `the endpoint ${config.endpoint.host} is ${next.length === 0 ? 'not known yet' : list(next)}: ${why}`,
    );
    remember('the endpoint has other addresses');
    nudge();
  };

  const fixedEndpoints = (): readonly string[] | undefined => {
    if (config.endpoint.addresses.length > 0) return config.endpoint.addresses.toSorted();
    const parsed = parseAddress(config.endpoint.host);
    return parsed === undefined ? undefined : [parsed.text];
  };

  let resolveAgain = Promise.withResolvers<void>();
  const resolveAlways = async () => {
    const sayDns = onlyChanges((text) => {
      if (text !== undefined) log.warn({}, text);
    });
    while (!signal.aborted) {
      resolveAgain = Promise.withResolvers<void>();
      const fixed = fixedEndpoints();
      if (fixed !== undefined) {
        names = noNames;
        dnsProblem = undefined;
        setEndpoints(fixed, 'the configuration says so');
        await Promise.race([resolveAgain.promise, aborted]);
        continue;
      }
      const { host } = config.endpoint;
      const resolver = openResolver(config.dns);
      const stop = () => resolver.close();
      signal.addEventListener('abort', stop, { once: true });
      const { answers, problems } = await resolver.ask(host);
      signal.removeEventListener('abort', stop);
      if (signal.aborted) return;
      if (config.endpoint.host !== host) continue;
      const forbidden = new Set([...config.node.addresses, ...known.flatMap((member) => member.addresses)]);
      const next = resolved(names, answers, { at: now(), forbidden });
      names = next.names;
      const wrong = [...problems, ...next.refused];
      const stays = addressesOf(names).length > 0 ? '; what is known stays' : '';
      dnsProblem = wrong.length === 0 ? undefined : `DNS for ${host}: ${wrong.join('; ')}${stays}`;
      sayDns(dnsProblem);
      setEndpoints(addressesOf(names), 'DNS says so');
      await Promise.race([wakeTimer(names.askAgainAt - now()), resolveAgain.promise, aborted]);
    }
  };

  // ---- membership

  const endpointsPath = '/api/v1/namespaces/default/endpoints/kubernetes';
  const slicesPath = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes';
  let path = endpointsPath;

  const poll = async () => {
    const ready = [...probes].filter(
      ([name, { connection }]) => connection !== undefined && fleet.members.get(name)?.backend.state === 'ready',
    );
    const chosen = ready[Math.floor(random() * ready.length)];
    if (chosen?.[1].connection === undefined) return;
    const [name, { connection }] = chosen;
    const got = await get(connection.session, path, {
      timeoutMs: pollTimeoutMs,
      mostBytes: mostEndpointsBytes,
      signal,
    });
    if (got.status === 404 && path === endpointsPath) {
      path = slicesPath;
      throw new Error(`${name} has no Endpoints default/kubernetes; its EndpointSlice is asked for from now on`);
    }
    if (got.status !== 200) {
      const kubelet =
        got.status === 401 || got.status === 403 ? ': this agent may not read who the apiservers are' : '';
      path = endpointsPath;
      throw new Error(`${name} said ${got.status} to ${path}${kubelet}`);
    }
    const read = readEndpoints(got.body, { apiServerPort: config.apiServerPort, endpoints });
    if ('problem' in read) throw new Error(`${name}: ${read.problem}`);
    const at = now();
    membership = announced(membership, read.addresses, {
      elapsedMs: answeredAt === undefined ? 0 : at - answeredAt,
      config,
    });
    answeredAt = at;
    if (read.problems.length > 0) throw new Error(`${name} announces what is not used: ${read.problems.join('; ')}`);
  };

  const pollAlways = async () => {
    const say = onlyChanges((text) => {
      if (text !== undefined) log.warn({}, `membership: ${text}; what is known stays`);
    });
    let first = true;
    while (!signal.aborted) {
      // The first soon after start, so that what is on disk is fresh; then each agent at its own times.
      const base = pollMs[config.node.role];
      await Promise.race([wakeTimer(first ? 500 + random() * 1000 : base * (0.8 + random() * 0.4)), aborted]);
      if (signal.aborted || !config.steer) continue;
      first = false;
      try {
        await poll();
        membershipProblem = undefined;
      } catch (error) {
        membershipProblem = error instanceof Error ? error.message : String(error);
      }
      say(membershipProblem);
      if (sameMembers(members(membership, config), known) === false) remember('the cluster announces it so');
      if (worthSaving(membershipSaved, membership)) {
        try {
          await saveMembership(opts.membershipFile, membership);
          membershipSaved = membership;
        } catch (error) {
          say(`${opts.membershipFile} cannot be written: ${String(error)}`);
        }
      }
    }
  };

  // ---- configuration

  const reload = async (): Promise<boolean> => {
    let read: Awaited<ReturnType<typeof readAgentConfig>>;
    try {
      read = await readAgentConfig(await readFile(opts.configFile, 'utf8'), opts.configFile);
    } catch (error) {
      configProblems = [`${opts.configFile} cannot be read: ${error instanceof Error ? error.message : String(error)}`];
      log.error({}, `${configProblems[0]}; the configuration in force stays`);
      return false;
    }
    if (!read.ok) {
      configProblems = read.diagnostics.map(formatDiagnostic);
      for (const line of configProblems) log.error({}, line);
      log.error({ problems: configProblems.length }, `${opts.configFile} is refused; the configuration in force stays`);
      return false;
    }
    counters.reloads += 1;
    configProblems = [];
    config = read.config;
    sha256 = read.checksum;
    log.info({ sha256 }, `${opts.configFile} was read again and is in force`);
    resolveAgain.resolve();
    remember('the configuration says so');
    await lookAtDrain();
    nudge();
    return true;
  };

  // ---- how it is

  const status = (): AgentStatus => {
    const at = now();
    const ago = (then: number | undefined) => (then === undefined ? null : Math.round(at - then));
    const is = target === undefined ? 'undecided' : target.backends.length > 0 ? 'steered' : 'balancer';
    return {
      program: opts.program,
      node: { name: config.node.name, role: config.node.role },
      uptimeMs: Math.round(at - startedAt),
      config: { path: opts.configFile, sha256, problems: [...configProblems] },
      endpoint: {
        host: config.endpoint.host,
        port: config.endpoint.port,
        addresses: endpoints.map((address) => ({ address, steered: inForce.endpoints.includes(address) })),
        dnsProblem: dnsProblem ?? null,
      },
      decision: { is, backends: is === 'steered' ? [...targetNames] : [], hold: target?.hold ?? false },
      inForce:
        inForce.target === undefined
          ? null
          : { backends: inForce.target.backends.map(nameOf), hold: inForce.target.hold, holdWorks: inForce.holdWorks },
      steerer: { up: link.up(), problem: steererProblem ?? null },
      table: { renewing, renewedMsAgo: ago(renewedAt), problem: tableProblem ?? null },
      backends: known.flatMap((member) => {
        const backend = fleet.members.get(member.name)?.backend;
        const probe = probes.get(member.name);
        if (backend === undefined) return [];
        return [
          {
            name: member.name,
            addresses: [...member.addresses],
            probed: probe?.address ?? '',
            self: member.self,
            from: member.from,
            state: backend.state,
            sinceMs: Math.round(at - backend.since),
            reason: probe?.reason ?? null,
            trouble:
              probe?.trouble === undefined
                ? null
                : { text: probe.trouble.text, msAgo: Math.round(at - probe.trouble.at) },
            rttMs: backend.rtt === undefined ? null : round(backend.rtt.smoothed),
            rttVariationMs: backend.rtt === undefined ? null : round(backend.rtt.variation),
            ready: backend.ready ?? null,
            absentMs: Math.round(member.absentMs),
          },
        ];
      }),
      membership: { answeredMsAgo: ago(answeredAt), problem: membershipProblem ?? null },
      lag: { lastMs: round(lag.last()), worstOfMinuteMs: round(lag.worstOfMinute(at)) },
      counters: { ...counters },
    };
  };

  // ---- turns

  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const fixed = fixedEndpoints();
  if (fixed !== undefined) endpoints = fixed;
  remember('the agent has started');
  void lookAtDrain();
  const timers = [
    setInterval(() => turn(now()), tickMs),
    setInterval(() => void renew(), renewEveryMs),
    setInterval(() => void lookAtDrain(), drainEveryMs),
    setInterval(() => void renewCredentials(), credentialsEveryMs),
    // Whoever waits for this agent before the kubelet starts is not held up by a steerer that is not there.
    setTimeout(begin, 1000),
  ];
  if (!config.steer) begin();
  const loops = Promise.all([steerAlways(), resolveAlways(), pollAlways()]);

  const done = (async () => {
    await aborted;
    for (const timer of timers) clearTimeout(timer);
    renewer.close();
    await loops;
  })();

  return { status, config: () => config, reload, done };
}

function lagSentence(gapMs: number): string {
  const ms = Math.round(gapMs - tickMs);
  return `this agent was held up for ${ms} ms; what it did not hear meanwhile counts against nobody (silence kills after ${deadAfterMs} ms)`;
}

function sameMembers(a: readonly Member[], b: readonly Member[]): boolean {
  const key = (all: readonly Member[]) =>
    all.map(({ name, addresses, self }) => `${name} ${addresses.join(',')} ${self}`).join(';');
  return key(a) === key(b);
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

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function list(texts: readonly string[]): string {
  return texts.join(', ');
}
