import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAddress } from '../../std/address.ts';
import { deadAfterMs, type Evidence } from '../backend/backend.ts';
import {
  type Change,
  decide,
  type Fleet,
  type FleetOutcome,
  isCalm,
  lagMs,
  newFleet,
  observeMember,
  overdueAt,
  tick,
  tickMs,
  withMembers,
} from '../backend/fleet.ts';
import { startBeat } from '../beat.ts';
import type { AgentConfig } from '../config/config.ts';
import { followName } from '../dns/follow.ts';
import { type Log, onlyChanges } from '../log/log.ts';
import { type Member, type Membership, members } from '../membership/membership.ts';
import { pollMembership } from '../membership/poll.ts';
import { loadMembership } from '../membership/store.ts';
import type { AgentStatus } from '../status/document.ts';
import { credentialStore } from './credentials.ts';
import { describeProber } from './describe.ts';
import { followFresh } from './fresh.ts';
import { lagGauge } from './lag.ts';
import { openProbes } from './probes.ts';
import { readConfigAgain } from './read-again.ts';
import { openRenewer, renewEveryMs } from './renewal.ts';
import { endFlows } from './resets.ts';
import { rotateCredentials } from './rotation.ts';
import { openSteererLink } from './steerer-link.ts';
import { awayFrom, mayRenew, sameTarget, type Target } from './steering.ts';
import { reasonOf } from './story.ts';
import { deadMansSwitch } from './switch.ts';
import { masterTiming, type ProbeTiming, restingMasterTiming, suspectWorkerTiming, workerTiming } from './timing.ts';
import { makeTransitions } from './transitions.ts';

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
  /** Resolves when `signal` has aborted and everything is closed. The table is renewed once more and left alone: it lapses by itself. */
  readonly done: Promise<void>;
}

/** Nobody decides on the first answer alone: the others get this long to come first. */
const settleMs = 150;
/** After this without any answer the agent says what it has: nobody, so the balancer. */
const undecidedMs = 2000;
/** After a suspicion a master asks everybody as often as those who take its connections. */
const hurryMs = 10_000;
const credentialsLookMs = 1000;
const drainEveryMs = 1000;
const resetTimeoutMs = 10_000;

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

  let endpoints: readonly string[] = [];

  let known: readonly Member[] = [];
  let fleet: Fleet = newFleet([], startedAt);
  const beat = startBeat(now);
  const probes = openProbes({
    config: () => config,
    credentials: () => credentials.current(),
    timing: (name) => timing(name),
    seen: (name, seen) => see(name, seen),
    refused: () => void renewCredentials(),
    log,
    beat,
    now,
    random,
    signal,
  });
  let hurryUntil = Number.NEGATIVE_INFINITY;
  const lag = lagGauge();

  let target: Target | undefined;
  let targetNames: readonly string[] = [];
  let targetSince = startedAt;
  let because = 'the agent has started';
  let steererProblem: string | undefined;
  let drained: ReadonlySet<string> = new Set();
  const counters = { transitions: 0, resets: 0, renewals: 0, reloads: 0 };

  const aborted = new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
  const pause = async (ms: number): Promise<void> => {
    await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
  };
  /** Ends the wait for the next question to DNS. One at a time, so that nothing piles up in a process that runs for years. */
  let resolveNow = () => {};

  // ---- what is seen

  const see = (name: string, seen: Evidence) => {
    // Whatever comes after a pause of our own is judged only after the pause is forgiven.
    if (seen.at - fleet.tickedAt > tickMs + lagMs) turn(seen.at);
    if (!fleet.members.has(name)) return;
    if (seen.is === 'answered' && seen.rttMs !== undefined) opts.events?.rtt?.(name, seen.rttMs);
    take(observeMember(fleet, name, seen), seen, fleet.members);
  };

  /** A turn of the loop: everybody is judged anew. */
  const turn = (at: number) => {
    lag.note(at - fleet.tickedAt - tickMs, at);
    const late = at - fleet.tickedAt > tickMs + lagMs;
    if (late) log.warn({ lagMs: Math.round(at - fleet.tickedAt - tickMs) }, lagSentence(at - fleet.tickedAt));
    const calm = !late && isCalm(fleet, at);
    take(tick(fleet, at), { is: 'tick', at, othersHeardAt: at }, fleet.members);
    // A silence that grows changes the decision without a change of state; where nobody is silent nothing does.
    if (calm && target !== undefined) return;
    decideAgain(target === undefined ? 'the agent has started' : 'nobody has answered for three seconds', at);
  };

  /** Answers that have come meanwhile are read before anybody is called late. */
  const turnAfterReading = () => void setImmediate(() => turn(now()));

  const onBeat = (at: number) => {
    const inTime = at - fleet.tickedAt <= tickMs + lagMs;
    if (inTime && !isCalm(fleet, at)) turnAfterReading();
    else turn(at);
  };

  /** Between two beats: the moment at which the first answer is overdue. */
  let overdue: NodeJS.Timeout | undefined;
  const watchOverdue = (at: number) => {
    const due = overdueAt(fleet);
    if (due === undefined) {
      clearTimeout(overdue);
      overdue = undefined;
    } else if (overdue === undefined && due > at) {
      overdue = setTimeout(
        () => {
          overdue = undefined;
          turnAfterReading();
        },
        // Timers of Node count whole milliseconds.
        Math.ceil(due - at) + 1,
      ).unref();
    }
  };

  const take = (outcome: FleetOutcome, seen: Evidence, before: Fleet['members']) => {
    fleet = outcome.fleet;
    watchOverdue(seen.at);
    for (const change of outcome.changes) {
      const was = before.get(change.name)?.backend;
      const reason = was === undefined ? '' : reasonOf(change, seen, was);
      changed(change, reason, seen.at);
    }
  };

  const changed = (change: Change, reason: string, at: number) => {
    counters.transitions += 1;
    const probe = probes.running.get(change.name);
    if (probe !== undefined) probe.reason = reason;
    opts.events?.change?.(change, reason);
    const fields = { backend: change.name, from: change.from, to: change.to };
    const trouble = change.to === 'unready' && probe?.trouble !== undefined ? ` (${probe.trouble.text})` : '';
    const level = ['failed', 'unready', 'suspect'].includes(change.to) ? 'warn' : 'info';
    log[level](fields, `${change.name} is ${change.to}: ${reason}${trouble}`);
    if (change.to === 'suspect') hurry(at);
    if (change.destroyFlows) void endFlows(change.name, resets);
    decideAgain(`${change.name} is ${change.to}: ${reason}`, at);
  };

  /** The others must show soon whether they answer: silence only counts against one who is alone in it. */
  const hurry = (at: number) => {
    hurryUntil = at + hurryMs;
    for (const probe of probes.running.values()) probe.connection?.ping();
  };

  const timing = (name: string): ProbeTiming => {
    if (config.node.role === 'worker') {
      return fleet.members.get(name)?.backend.state === 'suspect' ? suspectWorkerTiming : workerTiming;
    }
    return targetNames.includes(name) || now() < hurryUntil ? masterTiming : restingMasterTiming;
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
    const rested = decision.backends.filter((name) => !targetNames.includes(name));
    target = next;
    targetNames = decision.backends;
    if (config.node.role === 'control-plane') for (const name of rested) probes.running.get(name)?.connection?.ask();
    targetSince = at;
    because = why;
    transitions.nudge();
  };

  /** The addresses of a member in the families that the endpoint has. */
  const steerable = (name: string): readonly string[] => {
    const families = new Set(endpoints.map((text) => isIP(text)));
    return (known.find((member) => member.name === name)?.addresses ?? []).filter((text) => families.has(isIP(text)));
  };

  const nameOf = (address: string): string =>
    known.find((member) => member.addresses.includes(address))?.name ?? address;

  const fleetAddresses = (): readonly string[] => known.flatMap(({ name }) => steerable(name));

  const stateOf = (address: string) => fleet.members.get(nameOf(address))?.backend.state;

  // ---- whom to probe

  const remember = (why: string) => {
    const at = now();
    known = config.steer ? members(membership, config) : [];
    fleet = withMembers(fleet, known, at);
    probes.follow(new Map(known.map((member) => [member.name, probedAddress(member)])), why);
    applyDrain();
    decideAgain(why, at);
  };

  /** One connection tells about the machine; it goes where the clients' would. */
  const probedAddress = (member: Member): string => {
    const families = new Set(endpoints.map((text) => isIP(text)));
    return member.addresses.find((text) => families.has(isIP(text))) ?? member.addresses[0] ?? '';
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
        transitions.forget();
      },
      down: (why) => {
        steererProblem = `no connection to the steerer at ${opts.steererSocket}: ${why}`;
        saySteerer(steererProblem);
        transitions.nudge();
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
  const followed = openSteererLink(opts.steererSocket, { up: () => undefined, down: () => undefined }, { signal });
  const credentials = credentialStore(
    errands,
    onlyChanges((text) => {
      if (text !== undefined && errands.up()) log.info({}, text);
    }),
  );

  const renewCredentials = rotateCredentials({ credentials, probes: probes.running, pause, random, signal });

  let started = false;
  const begin = () => {
    if (started) return;
    started = true;
    opts.events?.started?.();
  };

  const transitions = makeTransitions({
    link,
    // On a node that does not steer (any more) nothing, once it has been asked for something.
    wanted: (inForce) =>
      config.steer
        ? { endpoints, target, away: awayFrom(inForce.target, fleetAddresses(), stateOf) }
        : { endpoints: inForce.ensured ?? [], target: { backends: [], hold: false }, away: [] },
    reason: () => ({ because, since: targetSince }),
    nameOf,
    answered: begin,
    switched: () => void deadMan.renew(),
    log,
    now,
    signal,
  });

  const deadMan = deadMansSwitch({
    renewer: openRenewer(),
    mayRenew: () => config.steer && mayRenew(transitions.inForce().target, target, stateOf),
    endpoints: () => transitions.inForce().endpoints,
    port: () => config.endpoint.port,
    gone: () => transitions.forget(),
    told: (result) => {
      if (result === 'renewed') counters.renewals += 1;
      opts.events?.renewed?.(result);
    },
    log,
    now,
  });

  const resets = {
    ask: (request: { readonly op: 'reset'; readonly backend: string }) =>
      errands.ask<'reset'>({ ...request }, { timeoutMs: resetTimeoutMs }),
    addressesOf: (name: string) => known.find((member) => member.name === name)?.addresses ?? [],
    stillFailed: (name: string) => fleet.members.get(name)?.backend.state === 'failed',
    ended: (name: string, flows: { readonly node: number; readonly pods: number }) => {
      counters.resets += 1;
      opts.events?.reset?.(name, flows);
    },
    log,
    random,
    signal,
  };

  // ---- who and where

  const fixedEndpoints = (): readonly string[] | undefined => {
    if (config.endpoint.addresses.length > 0) return config.endpoint.addresses.toSorted();
    const parsed = parseAddress(config.endpoint.host);
    return parsed === undefined ? undefined : [parsed.text];
  };

  const setEndpoints = (next: readonly string[], why: string) => {
    if (next.length === endpoints.length && next.every((text, index) => text === endpoints[index])) return;
    endpoints = next;
    const what = next.length === 0 ? 'not known yet' : next.join(', ');
    log.info({ endpoints: next }, `the endpoint ${config.endpoint.host} is ${what}: ${why}`);
    remember('the endpoint has other addresses');
    transitions.nudge();
  };

  const learned = (next: Membership) => {
    membership = next;
    const now = members(membership, config);
    // Who is absent for how long is shown, and is no reason to begin anew with anybody.
    if (sameMembers(now, known)) known = now;
    else remember('the cluster announces it so');
  };

  // ---- configuration

  const reload = async (): Promise<boolean> => {
    const read = await readConfigAgain(opts.configFile, log);
    configProblems = read.ok ? [] : read.problems;
    if (!read.ok) return false;
    counters.reloads += 1;
    ({ config, sha256 } = read);
    resolveNow();
    remember('the configuration says so');
    await lookAtDrain();
    transitions.nudge();
    return true;
  };

  // ---- how it is

  const status = (): AgentStatus => {
    const at = now();
    return describeProber({
      at,
      startedAt,
      program: opts.program,
      config,
      file: { path: opts.configFile, sha256, problems: configProblems },
      endpoints,
      dnsProblem: following.problem(),
      target,
      targetNames,
      inForce: transitions.inForce(),
      steerer: { up: link.up(), problem: steererProblem },
      table: deadMan.state(),
      known,
      fleet,
      probes: probes.running,
      asked: polling.state(),
      lag: { lastMs: lag.last(), worstOfMinuteMs: lag.worstOfMinute(at) },
      counters: { ...counters, ...transitions.counts() },
      nameOf,
    });
  };

  // ---- turns

  endpoints = fixedEndpoints() ?? [];
  remember('the agent has started');
  void lookAtDrain();
  beat.each(onBeat);
  beat.every(renewEveryMs, () => void deadMan.renew());
  beat.every(drainEveryMs, () => void lookAtDrain());
  beat.every(credentialsLookMs, () => {
    if (credentials.due(now())) void renewCredentials();
  });
  // Whoever waits for this agent before the kubelet starts is not held up by a steerer that is not there.
  const impatient = setTimeout(begin, 1000);
  if (!config.steer) begin();
  const following = followName({
    endpoint: () => ({ host: config.endpoint.host, fixed: fixedEndpoints() }),
    servers: () => config.dns,
    nodes: () => new Set([...config.node.addresses, ...known.flatMap((member) => member.addresses)]),
    found: setEndpoints,
    log,
    now,
    wait: async (ms) => {
      const wait = new AbortController();
      resolveNow = () => wait.abort();
      await sleep(ms, undefined, { signal: wait.signal, ref: false }).catch(() => undefined);
    },
    signal,
  });
  const polling = pollMembership({
    config: () => config,
    endpoints: () => endpoints,
    ready: () =>
      [...probes.running].flatMap(([name, { connection }]) =>
        connection !== undefined && fleet.members.get(name)?.backend.state === 'ready'
          ? [{ name, session: connection.session }]
          : [],
      ),
    file: opts.membershipFile,
    start: membership,
    learned,
    log,
    now,
    random,
    wait: pause,
    signal,
  });

  // Workers ask those apiservers that connections of the node have just been sent to.
  void followFresh({
    link: followed,
    wanted: () => config.node.role === 'worker' && config.steer,
    sent: (address) => probes.running.get(nameOf(address))?.connection?.ping(),
    pause,
    signal,
  });

  const done = (async () => {
    await aborted;
    resolveNow();
    beat[Symbol.dispose]();
    clearTimeout(overdue);
    clearTimeout(impatient);
    await deadMan.close();
    await Promise.all([transitions.done, following.done, polling.done]);
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
