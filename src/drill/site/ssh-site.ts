import { connect } from 'node:net';
import { isSea } from 'node:sea';
import type { NodePort } from '../../node/port.ts';
import type { ProgramSource } from '../../program/source.ts';
import { controlPlaneNodes, type Spec, workerNodes } from '../../spec/spec.ts';
import { networkFaults } from '../faults/network.ts';
import { type FaultedCluster, faultOfNodes, runDir } from '../faults/on-nodes.ts';
import { podFaults, unitFaults } from '../faults/processes.ts';
import { diskFault, wholeNodeFaults } from '../faults/system.ts';
import { monotonicMs } from '../history/clock.ts';
import { variants } from '../matrix/variants.ts';
import type { Predictable } from '../scenario/budget.ts';
import { type TrafficChannel, throughCommand, trafficProgram } from '../traffic/channel.ts';
import { type Access, prepareAccess, removeAccess } from './access.ts';
import { clusterProblems } from './health.ts';
import { ensureProgram, onNode } from './node-traffic.ts';
import type { DrillClient, DrillSite } from './site.ts';

export interface SshSiteOptions {
  readonly name: string;
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
  readonly program: ProgramSource;
  readonly directory: string;
  readonly signal: AbortSignal;
  /** Ask the nodes nothing yet: for healing a cluster that may not answer. */
  readonly quick?: boolean;
  readonly emit: (text: string) => void;
  /** Where somebody outside is; this machine, where it is not said. */
  readonly outside?: (access: Access) => Omit<DrillClient, 'paths'> | undefined;
}

/** A cluster of real nodes, of which everything is asked and to which everything is done by ssh. */
export async function sshSite(opts: SshSiteOptions): Promise<DrillSite> {
  const { spec, nodes, signal } = opts;
  const masters = controlPlaneNodes(spec).map(({ name }) => name);
  const strategy = await strategyOf(opts);
  const cluster: FaultedCluster = { spec, nodes, strategy };
  const nodeFaults = [...podFaults, ...unitFaults, ...networkFaults, diskFault];
  let clients: Promise<readonly DrillClient[]> | undefined;
  return {
    name: opts.name,
    strategy,
    masters,
    workers: workerNodes(spec).map(({ name }) => name),
    directory: opts.directory,
    predictable: predictableOf(spec, strategy),
    watched: 'acknowledged',
    faults: [
      ...nodeFaults
        .filter((fault) => fault.unavailable?.(cluster) === undefined)
        .map((fault) => faultOfNodes(cluster, fault)),
      ...wholeNodeFaults(cluster),
    ],
    clients() {
      const asked = clients ?? makeClients(opts);
      clients = asked;
      // Who asks again after a failure is not told the old one.
      asked.catch(() => {
        if (clients === asked) clients = undefined;
      });
      return asked;
    },
    problems: (asked) => clusterProblems({ spec, nodes, strategy }, AbortSignal.any([asked, signal])),
    ...(strategy === 'keepalived-vip' ? { sample: sampleHolders(cluster, masters) } : {}),
    async [Symbol.asyncDispose]() {
      if (clients !== undefined) await removeAccess(opts).catch(() => undefined);
    },
  };
}

/** A balancer whose behaviour nobody wrote down is taken for the worst. */
function predictableOf({ balancer, strategy: asked }: Spec, strategy: string): Predictable | undefined {
  const numbers =
    balancer === undefined
      ? undefined
      : {
          behaviour: balancer.hairpin === 'auto' ? ('drop' as const) : balancer.hairpin,
          healthCheck: balancer.healthCheck,
        };
  const workers = asked.name === 'steer' && asked.workers;
  const variant = workers ? 'steer-workers' : variants.find(({ name }) => name === strategy)?.name;
  return variant === undefined ? undefined : { variant, balancer: numbers };
}

/** What the first master looks like, where the spec leaves the choice to the plan. */
const strategyScript = `
systemctl is-enabled --quiet hairpin-agent.service 2>/dev/null && { echo steer; exit; }
systemctl is-enabled --quiet hairpin-keepalived.service 2>/dev/null && { echo keepalived; exit; }
[ -n "$(ip -oneline address show to "$1" 2>/dev/null)" ] && { echo bind-vip; exit; }
grep -q "^[^#]*[[:space:]]$2\\([[:space:]]\\|$\\)" /etc/hosts && { echo hosts; exit; }
echo direct`;

async function strategyOf({ spec, nodes, signal, quick }: SshSiteOptions): Promise<string> {
  if (spec.strategy.name !== 'auto') return spec.strategy.name;
  if (quick === true) return 'unknown';
  const [first] = controlPlaneNodes(spec);
  const args = [spec.endpoint.addresses[0]?.text ?? '255.255.255.255', spec.endpoint.host];
  const seen = await nodes
    .get(first?.name ?? '')
    ?.probe(['sh', '-c', strategyScript, 'hairpin-drill', ...args], { signal });
  const name = seen?.stdout.trim() ?? '';
  if (name === 'keepalived') return spec.balancer === undefined ? 'keepalived-vip' : 'keepalived-haproxy';
  return name;
}

/** Each kind of client once: a master, a pod on it, a worker, a pod on it, somebody outside. */
async function makeClients(opts: SshSiteOptions): Promise<readonly DrillClient[]> {
  const { spec, nodes, signal } = opts;
  const access = await prepareAccess(opts);
  const { endpoint } = spec;
  const target = { host: endpoint.host, port: endpoint.port, servers: access.servers };
  const on = [...controlPlaneNodes(spec).slice(0, 1), ...workerNodes(spec).slice(0, 1)];
  const inside = await Promise.all(
    on.map(async ({ name }): Promise<readonly DrillClient[]> => {
      const node = nodes.get(name);
      if (node === undefined) return [];
      const program = await ensureProgram(node, opts.program, signal);
      const client = (as: string, pod?: string): DrillClient => {
        const spool = `${runDir}/traffic-${as}.jsonl`;
        return {
          name: as,
          on: name,
          config: { ...target, ...access.onNodes, spool },
          paths: access.paths,
          channel: onNode(node, { program, pod, spool }),
        };
      };
      const pod = access.pods.get(name);
      if (pod === undefined) opts.emit(`there is no pod on ${name}, so nobody dials from one`);
      return [client(name), ...(pod === undefined ? [] : [client(`${name}-pod`, pod)])];
    }),
  );
  const outside = opts.outside === undefined ? await outsideHere(opts, access) : opts.outside(access);
  const all = [
    ...inside.flat(),
    ...(outside === undefined ? [] : [{ ...outside, paths: access.paths, config: { ...outside.config, ...target } }]),
  ];
  // One of them is enough to look at the cluster, and one to follow a log: the last, who depends on the balancer most.
  return all.map((client, i) => {
    const { log } = access;
    const samples = { everyMs: 500, patienceMs: 2000, ...access.samples };
    const stream = log === undefined ? {} : { stream: { path: log } };
    return i === all.length - 1
      ? { ...client, config: { ...client.config, samples, ...stream } }
      : i === 0
        ? { ...client, config: { ...client.config, ...stream } }
        : client;
  });
}

/** This machine, where it reaches the endpoint at all. */
async function outsideHere(opts: SshSiteOptions, access: Access): Promise<Omit<DrillClient, 'paths'> | undefined> {
  const { endpoint } = opts.spec;
  if (!(await reaches(endpoint.host, endpoint.port))) {
    opts.emit(`this machine does not reach ${endpoint.host}:${endpoint.port}, so nobody dials from outside`);
    return undefined;
  }
  const words = isSea() ? ['agent', 'traffic'] : [trafficProgram];
  const channel: TrafficChannel = throughCommand((config) => [process.execPath, ...words, config]);
  return {
    name: 'outside',
    config: { host: endpoint.host, port: endpoint.port, servers: access.servers, ...access.local },
    channel,
  };
}

async function reaches(host: string, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 3000 });
    const end = (answer: boolean) => () => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false));
  });
}

/** Who has the address now, and every change of it, as the kernel of each master tells it. */
const holderScript = `ip -oneline address show to "$1" | grep -q . && echo has || echo not
ip -oneline monitor address | while read -r line; do
  case $line in *" $1/"*) case $line in Deleted*|*'Deleted '*) echo not ;; *) echo has ;; esac ;; esac
done`;

function sampleHolders(cluster: FaultedCluster, masters: readonly string[]): NonNullable<DrillSite['sample']> {
  return async (onRecord, signal) => {
    const address = cluster.spec.endpoint.addresses[0]?.text ?? '';
    await Promise.all(
      masters.map(async (node) => {
        const onLine = (stream: 'stdout' | 'stderr', line: string) => {
          if (stream !== 'stdout') return;
          onRecord({ is: 'holding', at: monotonicMs(), node, address, holds: line.trim() === 'has' });
        };
        while (!signal.aborted) {
          const argv = ['sh', '-c', holderScript, 'hairpin-drill', address];
          await cluster.nodes
            .get(node)
            ?.probe(argv, { signal, onLine })
            .catch(() => undefined);
          if (signal.aborted) return;
          // A node whose connection ended holds nothing that anybody could reach.
          onRecord({ is: 'holding', at: monotonicMs(), node, address, holds: false });
          await new Promise((resolve) => setTimeout(resolve, 1000));
        }
      }),
    );
  };
}
