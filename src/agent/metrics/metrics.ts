import type { BackendState } from '../backend/backend.ts';
import type { ProberEvents } from '../prober/prober.ts';
import type { AgentStatus } from '../status/document.ts';
import {
  type Counter,
  counter as countFamily,
  exposition,
  type Gauge,
  gauge as gaugeFamily,
  histogram,
} from './exposition.ts';

const states = [
  'unknown',
  'ready',
  'unready',
  'suspect',
  'failed',
  'draining',
] as const satisfies readonly BackendState[];

export interface AgentMetrics {
  /** Fed while things happen. */
  readonly events: ProberEvents;
  /** The text that Prometheus reads. */
  text(): string;
}

/**
 * What Prometheus sees. Counters and the histogram are fed by events; everything else is read from the status at the
 * time of the scrape, so that both always say the same.
 */
export function agentMetrics(status: () => AgentStatus): AgentMetrics {
  const families: { lines(): readonly string[] }[] = [];
  const known = <F extends { lines(): readonly string[] }>(family: F): F => {
    families.push(family);
    return family;
  };
  const gauge = <L extends string = never>(name: string, help: string, labels: readonly L[] = []): Gauge<L> =>
    known(gaugeFamily<L>(`hairpin_${name}`, help, labels.length > 0));
  const counter = <L extends string = never>(name: string, help: string, labels: readonly L[] = []): Counter<L> =>
    known(countFamily<L>(`hairpin_${name}`, help, labels.length > 0));

  const build = gauge('build_info', 'The program that runs; always 1.', ['version', 'node', 'role']);
  const state = gauge('backend_state', 'What the agent thinks of an apiserver: 1 for the state that it is in.', [
    'backend',
    'state',
  ]);
  const since = gauge('backend_state_seconds', 'For how long an apiserver has been in its state.', ['backend']);
  const last = gauge('backend_last_transition_info', 'Why an apiserver is in its state; always 1.', [
    'backend',
    'state',
    'reason',
  ]);
  const steered = gauge('backend_steered', '1 for an apiserver that new connections of this node go to.', ['backend']);
  const balancer = gauge('balancer_used', '1 while new connections of this node are left to the balancer.');
  const hold = gauge('refusals_held', '1 while refusals are held because another apiserver is ready.');
  const steererUp = gauge('steerer_up', '1 while the steerer is connected.');
  const tableOk = gauge('table_renewed_seconds', 'Since the last renewal of the dead man switch; it opens after 3.');
  const lag = gauge('loop_lag_seconds', "The worst lateness of the prober's loop within the last minute.");
  const configOk = gauge('config_ok', '0 while agent.json on disk is refused and an older one is in force.');
  const membershipAge = gauge('membership_age_seconds', 'Since the cluster last said who its apiservers are.');
  const resident = gauge('process_resident_memory_bytes', 'Resident memory of the prober.');
  const rtt = known(
    histogram<'backend'>(
      'hairpin_backend_rtt_seconds',
      'Round trips of HTTP/2 PINGs.',
      // From a PING over loopback to the three seconds of silence that kill.
      [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 3],
    ),
  );
  const transitions = counter('backend_transitions_total', 'Changes of state.', ['backend', 'from', 'to']);
  const suspected = counter('backend_suspect_seconds_total', 'Time under suspicion.', ['backend']);
  const resets = counter('flow_resets_total', 'Flows of dead apiservers that were ended.', ['backend', 'where']);
  const renewals = counter('renewals_total', 'Renewing datagrams by what became of them.', ['result']);
  const switches = counter('switches_total', 'Changes of where new connections go.');
  const repairs = counter('table_repairs_total', 'Times that the table was put back.');

  const suspectSince = new Map<string, number>();
  let counted = { switches: 0, repairs: 0 };

  const events: ProberEvents = {
    rtt: (backend, ms) => rtt.observe({ backend }, ms / 1000),
    change: ({ name, from, to }) => {
      transitions.add({ backend: name, from, to });
      const began = suspectSince.get(name);
      if (from === 'suspect' && began !== undefined) {
        suspected.add({ backend: name }, (performance.now() - began) / 1000);
        suspectSince.delete(name);
      }
      if (to === 'suspect') suspectSince.set(name, performance.now());
    },
    reset: (backend, { node, pods }) => {
      resets.add({ backend, where: 'node' }, node);
      resets.add({ backend, where: 'pods' }, pods);
    },
    renewed: (result) => renewals.add({ result }),
  };

  const read = () => {
    const now = status();
    for (const one of [state, since, last, steered, build]) one.clear();
    build.set({ version: now.program, node: now.node.name, role: now.node.role }, 1);
    const names = new Set<string>();
    for (const backend of now.backends) {
      names.add(backend.name);
      for (const each of states) state.set({ backend: backend.name, state: each }, backend.state === each ? 1 : 0);
      since.set({ backend: backend.name }, backend.sinceMs / 1000);
      last.set({ backend: backend.name, state: backend.state, reason: withoutNumbers(backend.reason ?? '') }, 1);
      const used = now.inForce?.backends.includes(backend.name) === true && now.table.renewing;
      steered.set({ backend: backend.name }, used ? 1 : 0);
    }
    for (const name of suspectSince.keys()) if (!names.has(name)) suspectSince.delete(name);
    balancer.set({}, now.inForce !== null && now.inForce.backends.length > 0 && now.table.renewing ? 0 : 1);
    hold.set({}, now.inForce?.hold === true ? 1 : 0);
    steererUp.set({}, now.steerer.up ? 1 : 0);
    tableOk.set({}, (now.table.renewedMsAgo ?? Number.NaN) / 1000);
    lag.set({}, now.lag.worstOfMinuteMs / 1000);
    configOk.set({}, now.config.problems.length === 0 ? 1 : 0);
    membershipAge.set({}, (now.membership.answeredMsAgo ?? Number.NaN) / 1000);
    resident.set({}, process.memoryUsage.rss());
    switches.add({}, now.counters.switches - counted.switches);
    repairs.add({}, now.counters.repairs - counted.repairs);
    counted = now.counters;
  };

  return {
    events,
    text() {
      read();
      return exposition(families);
    },
  };
}

/** A label with a measured number in it would be a new series each time. */
function withoutNumbers(reason: string): string {
  return reason.replace(/\d+(?:\.\d+)? ms/g, 'some ms');
}
