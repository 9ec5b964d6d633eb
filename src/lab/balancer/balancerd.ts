import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startChecker } from './checker.ts';
import { type BalancerdConfig, probeSource } from './config.ts';
import type { Engine } from './engine.ts';
import type { HaproxyEngine } from './haproxy-engine.ts';
import { afterCheck, type Health, unknownHealth } from './health.ts';
import { type CheckResult, checkOnce } from './probe.ts';
import { type BackendState, isIn, type Rotation, rotationOf, sameRotation } from './rotation.ts';
import type { BackendStatus, BalancerRequest, BalancerStatus, Transition } from './status.ts';
import type { BalancerState } from './tables.ts';

interface Backend {
  readonly name: string;
  health: Health;
  since: number;
  forced: 'in' | 'out' | undefined;
  weight: number;
  lastCheck: BackendStatus['lastCheck'];
}

/**
 * The balancer of a lab: decides who gets new connections, and has an engine do it.
 *
 * Whatever changes goes through one queue, so that there is one transaction per transition and never two at once. What
 * must survive a restart of the daemon (health, what was set by hand) is remembered in a file: a balancer whose control
 * plane restarts goes on balancing.
 */
export class Balancerd {
  readonly #config: BalancerdConfig;
  readonly #engine: Engine | HaproxyEngine;
  readonly #backends: readonly Backend[];
  readonly #history: Transition[] = [];
  #power: 'on' | 'off' = 'on';
  #paused = false;
  #intervalMs: number;
  #rotation: Rotation = { targets: [], failOpen: false };
  /** What was decided last did not come about; the next check tries again. */
  #unapplied = false;
  #queue: Promise<unknown> = Promise.resolve();
  #stopChecks: () => void = () => undefined;
  readonly #drains = new Map<string, NodeJS.Timeout>();

  constructor(config: BalancerdConfig, engine: Engine | HaproxyEngine) {
    this.#config = config;
    this.#engine = engine;
    this.#intervalMs = config.balancer.healthCheck.intervalMs;
    this.#backends = config.backends.map(({ name }) => ({
      name,
      health: unknownHealth,
      since: Date.now(),
      forced: undefined,
      weight: 1,
      lastCheck: undefined,
    }));
    this.#remember();
  }

  async start(): Promise<void> {
    this.#rotation = this.#wantedRotation();
    await this.#engine.start(this.#state());
    this.#startChecks();
  }

  async stop(): Promise<void> {
    this.#stopChecks();
    for (const timer of this.#drains.values()) clearTimeout(timer);
    await this.#queue.catch(() => undefined);
    await this.#engine.stop();
  }

  async handle(request: BalancerRequest): Promise<unknown> {
    switch (request.op) {
      case 'ping':
        return 'pong';
      case 'status':
        return await this.#inTurn(() => this.#status());
      case 'backend':
        return await this.#inTurn(() => this.#setBackend(request));
      case 'checks':
        return await this.#inTurn(() => this.#setChecks(request));
      case 'power':
        return await this.#inTurn(() => this.#setPower(request.to));
    }
  }

  async #status(): Promise<BalancerStatus> {
    const { balancer, vips, port, backends, network } = this.#config;
    const usage = await this.#engine.usage();
    const sources = [4, 6] as const;
    return {
      behaviour: balancer.behaviour,
      network,
      endpoint: { addresses: vips.map((v) => v.text), port },
      scheduling: balancer.scheduling,
      healthCheck: { ...balancer.healthCheck, intervalMs: this.#intervalMs },
      probeSources: sources.flatMap((family) => probeSource(this.#config, family)?.text ?? []),
      ejectedFlows: balancer.ejectedFlows,
      drainMs: balancer.drainMs,
      allDown: balancer.allDown,
      power: this.#power,
      checks: this.#paused ? 'paused' : 'running',
      failOpen: this.#rotation.failOpen,
      backends: this.#backends.map((b, index) => ({
        ...this.#backendState(b),
        addresses: backends[index]?.addresses.map((a) => a.text) ?? [],
        port: backends[index]?.port ?? 0,
        inRotation: isIn(this.#rotation, b.name),
        since: b.since,
        lastCheck: b.lastCheck,
        connections: usage.get(b.name)?.connections ?? 0,
        flows: usage.get(b.name)?.flows ?? 0,
      })),
      history: this.#history,
    };
  }

  async #setBackend(request: Extract<BalancerRequest, { op: 'backend' }>): Promise<void> {
    const backend = this.#backends.find((b) => b.name === request.name);
    if (backend === undefined) {
      throw new Error(`There is no backend ${request.name}; there are ${this.#backends.map((b) => b.name).join(', ')}`);
    }
    if (request.weight !== undefined) {
      if (!Number.isInteger(request.weight) || request.weight < 0 || request.weight > 100) {
        throw new Error('A weight is a whole number from 0 to 100');
      }
      backend.weight = request.weight;
    }
    if (request.forced !== undefined) backend.forced = request.forced === 'auto' ? undefined : request.forced;
    await this.#settle('set by hand', true);
  }

  async #setChecks(request: Extract<BalancerRequest, { op: 'checks' }>): Promise<void> {
    if (request.intervalMs !== undefined) {
      if (!Number.isInteger(request.intervalMs) || request.intervalMs < 10) {
        throw new Error('An interval of health checks is at least 10 ms');
      }
      this.#intervalMs = request.intervalMs;
      if (drivesChecks(this.#engine)) await this.#engine.setInterval(request.intervalMs);
    }
    if (request.paused !== undefined) this.#paused = request.paused;
    if (drivesChecks(this.#engine)) await this.#engine.setChecks(!this.#paused);
    this.#startChecks();
  }

  async #setPower(to: 'on' | 'off'): Promise<void> {
    this.#power = to;
    await this.#engine.apply(this.#state());
    this.#startChecks();
    this.#save();
  }

  /** A balancer that is off checks nobody. Starts over where checks ran before. */
  #startChecks(): void {
    this.#stopChecks();
    this.#stopChecks = () => undefined;
    if (this.#power === 'off') return;
    if (drivesChecks(this.#engine)) {
      const engine = this.#engine;
      const timer = setInterval(() => void this.#inTurn(() => this.#watch(engine)).catch(report), 50);
      this.#stopChecks = () => clearInterval(timer);
      return;
    }
    if (this.#paused) return;
    const checkers = this.#backends.map((backend, index) => {
      const config = this.#config.backends[index];
      const address = config?.addresses[0];
      if (config === undefined || address === undefined) throw new RangeError(`${backend.name} has no address`);
      const check = this.#config.balancer.healthCheck;
      const target = { address, port: check.port ?? config.port };
      const source = probeSource(this.#config, address.family);
      const checker = startChecker(
        this.#intervalMs,
        () => checkOnce(target, check, source),
        (result, at) => {
          if (result.passed) checker.known();
          void this.#inTurn(() => this.#checked(backend, result, at)).catch(report);
        },
      );
      if (backend.health.is !== 'initial') checker.known();
      return checker;
    });
    this.#stopChecks = () => {
      for (const checker of checkers) checker.stop();
    };
  }

  async #checked(backend: Backend, result: CheckResult, at: number): Promise<void> {
    backend.lastCheck = { at, passed: result.passed, ms: Math.round(result.ms * 10) / 10, problem: result.problem };
    const before = backend.health.is;
    backend.health = afterCheck(backend.health, result.passed, this.#config.balancer.healthCheck);
    if (backend.health.is === before && !this.#unapplied) return;
    if (backend.health.is !== before) backend.since = Date.now();
    await this.#settle(`health check: ${result.problem ?? 'passed'}`);
  }

  /** haproxy makes the checks itself; this only learns what it found. */
  async #watch(engine: HaproxyEngine): Promise<void> {
    for (const server of await engine.servers()) {
      const backend = this.#backends.find((b) => b.name === server.server);
      if (backend === undefined || server.status === 'MAINT' || server.check === '' || server.check === 'INI') continue;
      const passed = server.check.endsWith('OK');
      backend.lastCheck = {
        at: Date.now(),
        passed,
        ms: server.checkMs,
        problem: passed ? undefined : server.check,
      };
      const is = server.status.startsWith('UP') ? 'healthy' : 'unhealthy';
      if (is === backend.health.is) continue;
      backend.health = { is, against: 0 };
      backend.since = Date.now();
      await this.#settle(`health check: ${server.check}`);
    }
  }

  /** Makes the rotation what it should be, and deals with the flows of those who left it. */
  async #settle(why: string, always = false): Promise<void> {
    const before = this.#rotation;
    this.#rotation = this.#wantedRotation();
    this.#save();
    if (!always && !this.#unapplied && sameRotation(before, this.#rotation)) return;
    this.#unapplied = true;
    await this.#engine.apply(this.#state());
    this.#unapplied = false;
    for (const { name } of this.#backends) {
      const was = isIn(before, name);
      const is = isIn(this.#rotation, name);
      if (was === is) continue;
      this.#tell({ at: Date.now(), backend: name, to: is ? 'in' : 'out', why });
      clearTimeout(this.#drains.get(name));
      if (!is) await this.#dismiss(name);
    }
  }

  async #dismiss(name: string): Promise<void> {
    const { ejectedFlows, drainMs } = this.#config.balancer;
    if (ejectedFlows === 'reset') await this.#engine.resetFlows(name);
    if (ejectedFlows !== 'drain') return;
    const timer = setTimeout(() => void this.#inTurn(() => this.#engine.resetFlows(name)).catch(report), drainMs);
    this.#drains.set(name, timer);
  }

  #tell(transition: Transition): void {
    this.#history.push(transition);
    if (this.#history.length > 500) this.#history.shift();
    process.stdout.write(`${JSON.stringify(transition)}\n`);
  }

  #wantedRotation(): Rotation {
    return rotationOf(this.#backendStates(), this.#config.balancer.allDown);
  }

  #state(): BalancerState {
    return { backends: this.#backendStates(), rotation: this.#rotation, power: this.#power };
  }

  #backendStates(): readonly BackendState[] {
    return this.#backends.map((b) => this.#backendState(b));
  }

  #backendState(b: Backend): BackendState {
    return { name: b.name, health: b.health.is, forced: b.forced, weight: b.weight };
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    this.#queue = result.catch(() => undefined);
    return await result;
  }

  get #memory(): string {
    return join(this.#config.dir, 'memory.json');
  }

  #save(): void {
    const memory = { power: this.#power, backends: this.#backendStates() };
    writeFileSync(`${this.#memory}.new`, JSON.stringify(memory), { mode: 0o600 });
    renameSync(`${this.#memory}.new`, this.#memory);
  }

  #remember(): void {
    let memory: { power: 'on' | 'off'; backends: BackendState[] };
    try {
      memory = JSON.parse(readFileSync(this.#memory, 'utf8')) as typeof memory;
    } catch {
      return; // the first start
    }
    this.#power = memory.power;
    for (const backend of this.#backends) {
      const known = memory.backends.find((b) => b.name === backend.name);
      if (known === undefined) continue;
      backend.health = { is: known.health, against: 0 };
      backend.forced = known.forced;
      backend.weight = known.weight;
    }
  }
}

function drivesChecks(engine: Engine | HaproxyEngine): engine is HaproxyEngine {
  return 'servers' in engine;
}

let reported = { text: '', at: 0 };

/** To the log; what fails with every check is said once in ten seconds. */
function report(error: unknown): void {
  const text = error instanceof Error ? error.message : String(error);
  if (text === reported.text && Date.now() - reported.at < 10_000) return;
  reported = { text, at: Date.now() };
  process.stderr.write(`${text}\n`);
}
