import type { SteererAnswer } from '../../src/agent/steerer/answers.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { type AgentMachine, startAgent } from './agent-machine.ts';

export interface Steering extends AsyncDisposable {
  readonly agent: AgentMachine;
  /** Ends the renewals. */
  readonly alive: Disposable;
  readonly epoch: number;
  /** Addresses of masters by their names. */
  of(names: readonly string[]): string[];
  /** `away` as the prober says it; without it as a prober of an earlier version. */
  steer(
    names: readonly string[],
    opts?: { hold?: boolean; away?: readonly string[] | undefined },
  ): Promise<SteererAnswer<'steer'>>;
  ensure(): Promise<SteererAnswer<'ensure'>>;
}

/** The steerer and the pods process on m1, alive, with a table that steers to these masters; no prober decides anything. */
export async function startSteering(lab: Lab, to: readonly string[]): Promise<Steering> {
  const agent = await startAgent(lab, 'm1', { processes: ['pods', 'steerer'] });
  const alive = agent.keepAlive();
  const of = (names: readonly string[]) =>
    agent.config.masters.filter(({ name }) => names.includes(name)).map(({ addresses }) => addresses[0] ?? '');
  const steer: Steering['steer'] = (names, { hold = false, away } = {}) =>
    agent.ask({ op: 'steer', backends: of(names), hold, ...(away === undefined ? {} : { away: of(away) }) });
  const ensure = () => agent.ask({ op: 'ensure', endpoints: [...agent.config.endpoint.addresses] });
  const first = await ensure();
  if (!first.ok) throw new Error(first.problem);
  await steer(to);
  await agent.renew();
  return {
    agent,
    alive,
    epoch: first.epoch,
    of,
    steer,
    ensure,
    async [Symbol.asyncDispose]() {
      alive[Symbol.dispose]();
      await agent[Symbol.asyncDispose]();
      for (const family of ['ip', 'ip6']) await lab.exec('m1', ['nft', 'delete', 'table', family, 'hairpin']);
    },
  };
}

/** Runs nft on m1; throws with what it said. */
export async function nftOn(lab: Lab, machine: string, text: string): Promise<string> {
  const ran = await lab.exec(machine, ['nft', '-f', '-'], { stdin: `${text}\n` });
  if (ran.exitCode !== 0) throw new Error(ran.stderr);
  return ran.stdout;
}
