import type { Fleet } from '../backend/fleet.ts';
import type { AgentConfig } from '../config/config.ts';
import type { Member } from '../membership/membership.ts';
import type { AgentStatus } from '../status/document.ts';
import type { Probe } from './probes.ts';
import type { InForce, Target } from './steering.ts';

/** Everything that the prober knows at one moment; times are of its own clock. */
export interface ProberState {
  readonly at: number;
  readonly startedAt: number;
  readonly program: string;
  readonly config: AgentConfig;
  readonly file: { readonly path: string; readonly sha256: string; readonly problems: readonly string[] };
  readonly endpoints: readonly string[];
  readonly dnsProblem: string | undefined;
  /** `undefined`: nothing is decided yet. */
  readonly target: Target | undefined;
  readonly targetNames: readonly string[];
  readonly inForce: InForce;
  readonly steerer: { readonly up: boolean; readonly problem: string | undefined };
  readonly table: {
    readonly renewing: boolean;
    readonly renewedAt: number | undefined;
    readonly problem: string | undefined;
  };
  readonly known: readonly Member[];
  readonly fleet: Fleet;
  readonly probes: ReadonlyMap<string, Probe>;
  readonly asked: { readonly answeredAt: number | undefined; readonly problem: string | undefined };
  readonly lag: AgentStatus['lag'];
  readonly counters: AgentStatus['counters'];
  readonly nameOf: (address: string) => string;
}

/** Pure: what `agent status` and the metrics are told. */
export function describeProber(state: ProberState): AgentStatus {
  const { at, config, file, target, inForce, table, asked, lag } = state;
  const ago = (then: number | undefined) => (then === undefined ? null : Math.round(at - then));
  const is = target === undefined ? 'undecided' : target.backends.length > 0 ? 'steered' : 'balancer';
  return {
    program: state.program,
    node: { name: config.node.name, role: config.node.role },
    uptimeMs: Math.round(at - state.startedAt),
    config: { path: file.path, sha256: file.sha256, problems: [...file.problems] },
    endpoint: {
      host: config.endpoint.host,
      port: config.endpoint.port,
      addresses: state.endpoints.map((address) => ({ address, steered: inForce.endpoints.includes(address) })),
      dnsProblem: state.dnsProblem ?? null,
    },
    decision: { is, backends: is === 'steered' ? [...state.targetNames] : [], hold: target?.hold ?? false },
    inForce:
      inForce.target === undefined
        ? null
        : {
            backends: inForce.target.backends.map(state.nameOf),
            hold: inForce.target.hold,
            holdWorks: inForce.holdWorks,
          },
    steerer: { up: state.steerer.up, problem: state.steerer.problem ?? null },
    table: { renewing: table.renewing, renewedMsAgo: ago(table.renewedAt), problem: table.problem ?? null },
    backends: state.known.flatMap((member) => describeMember(member, state)),
    membership: { answeredMsAgo: ago(asked.answeredAt), problem: asked.problem ?? null },
    lag: { lastMs: round(lag.lastMs), worstOfMinuteMs: round(lag.worstOfMinuteMs) },
    counters: state.counters,
  };
}

function describeMember(member: Member, { at, fleet, probes }: ProberState): AgentStatus['backends'] {
  const backend = fleet.members.get(member.name)?.backend;
  if (backend === undefined) return [];
  const { address = '', reason, trouble } = probes.get(member.name) ?? {};
  const { rtt } = backend;
  return [
    {
      name: member.name,
      addresses: [...member.addresses],
      probed: address,
      self: member.self,
      from: member.from,
      state: backend.state,
      drained: backend.drained,
      sinceMs: Math.round(at - backend.since),
      reason: reason ?? null,
      trouble: trouble === undefined ? null : { text: trouble.text, msAgo: Math.round(at - trouble.at) },
      rttMs: rtt === undefined ? null : round(rtt.smoothed),
      rttVariationMs: rtt === undefined ? null : round(rtt.variation),
      ready: backend.ready ?? null,
      absentMs: Math.round(member.absentMs),
    },
  ];
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
