import { setTimeout as sleep } from 'node:timers/promises';
import { openSession } from '../../apply/flow/session.ts';
import type { DrillFault } from '../../drill/faults/fault.ts';
import { monotonicMs } from '../../drill/history/clock.ts';
import type { DrillClient, DrillSite } from '../../drill/site/site.ts';
import { sshSite } from '../../drill/site/ssh-site.ts';
import { type TrafficChannel, throughCommand, trafficProgram } from '../../drill/traffic/channel.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { changeBalancer, readBalancerStatus } from '../balancer/client.ts';
import { type BreakRequest, breakLab, healFaults } from '../faults/break.ts';
import { faultsOf } from '../faults/list.ts';
import { readFaults } from '../faults/records.ts';
import { pkiFiles } from '../pki/pki.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import { readStandin, setStandin } from '../standin/control.ts';
import { aheadOf } from './ahead.ts';
import { trafficArgv } from './traffic-argv.ts';

/**
 * A lab as a site of drills. In the wire tier stand-ins play the apiservers and watches show their ticks; in the node tier
 * the cluster is real, and the lab adds to what can be done by ssh what only a lab can do.
 */
export async function labSite(lab: RunningLab, opts: { readonly quick?: boolean } = {}): Promise<DrillSite> {
  return lab.spec.tier === 'node' ? await nodeTierSite(lab, opts) : wireTierSite(lab);
}

async function nodeTierSite(lab: RunningLab, { quick = false }: { readonly quick?: boolean }): Promise<DrillSite> {
  const { emit, signal, paths } = lab.cx;
  const session = await openSession({ file: paths.clusterYaml, emit });
  const site = await sshSite({
    name: `lab ${lab.name}`,
    spec: session.spec,
    nodes: session.nodes,
    program: session.program,
    directory: paths.root,
    signal,
    quick,
    emit: (text) => emit({ kind: 'warning', text }),
    outside: (access) => {
      const [client] = namesOf(lab, 'client');
      if (client === undefined) return undefined;
      const { endpoint } = lab.spec;
      const host = endpoint.domain ?? endpoint.addresses[0]?.text ?? '';
      const config = { host, port: endpoint.port, servers: access.servers, ...access.local };
      return { name: 'outside', config, channel: labChannel(lab, client) };
    },
  });
  const own = [...labFaults(lab), ...balancerFaults(lab)];
  const names = new Set(own.map(({ name }) => name));
  const watch = watchBalancer(lab);
  const { predictable } = site;
  return {
    ...site,
    ...(predictable?.balancer === undefined ? {} : { predictable: { ...predictable, balancer: lab.spec.balancer } }),
    async clients() {
      const all = await site.clients();
      return all.map((client) =>
        client.on === undefined
          ? client
          : { ...client, channel: aheadOf(lab.cx, client.on, client.name, client.channel) },
      );
    },
    async sample(onRecord, asked) {
      await Promise.all([watch(onRecord, asked), site.sample?.(onRecord, asked)]);
    },
    faults: [...own, ...site.faults.filter(({ name }) => !names.has(name))],
    problems: async (asked) => {
      const found = await Promise.all([brokenIn(lab), balancerProblems(lab), site.problems(asked)]);
      return found.flat();
    },
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
    },
  };
}

function wireTierSite(lab: RunningLab): DrillSite {
  const masters = namesOf(lab, 'control-plane');
  return {
    name: `lab ${lab.name}`,
    strategy: `balancer ${lab.spec.balancer.behaviour}`,
    masters,
    workers: namesOf(lab, 'worker'),
    directory: lab.cx.paths.root,
    faults: [...labFaults(lab), ...balancerFaults(lab), ...standinFaults(lab), ...commandFaults(lab)],
    watched: 'every',
    // Nothing but the balancer stands between a stand-in and its clients.
    predictable: { variant: 'direct', balancer: lab.spec.balancer },
    sample: watchBalancer(lab),
    clients: async () => clientsOf(lab),
    problems: async () => [...(await brokenIn(lab)), ...(await standinProblems(lab, masters))],
    async [Symbol.asyncDispose]() {},
  };
}

function labChannel(lab: RunningLab, name: string): TrafficChannel {
  return throughCommand((config) => trafficArgv(lab.cx, name, [process.execPath, trafficProgram, config]));
}

async function brokenIn(lab: RunningLab): Promise<readonly string[]> {
  return (await readFaults(lab.cx.paths)).map(({ fault, target }) => `${fault} is in force on ${target}`);
}

async function standinProblems(lab: RunningLab, masters: readonly string[]): Promise<readonly string[]> {
  const [standins, balancer] = await Promise.all([
    Promise.all(masters.map((name) => readStandin(lab.cx.paths, name).catch(() => undefined))),
    balancerProblems(lab),
  ]);
  return [
    ...standins.flatMap((status, i) =>
      status === undefined
        ? [`the apiserver of ${masters[i]} does not answer`]
        : status.ready && status.live
          ? []
          : [`the apiserver of ${masters[i]} is not ready`],
    ),
    ...balancer,
  ];
}

/** Whom the balancer sends new connections to, told whenever it changes. */
function watchBalancer(lab: RunningLab): NonNullable<DrillSite['sample']> {
  return async (onRecord, signal) => {
    const last = new Map<string, boolean>();
    while (!signal.aborted) {
      const status = await readBalancerStatus(lab.cx.paths, { signal }).catch(() => undefined);
      for (const { name, inRotation } of status?.backends ?? []) {
        if (last.has(name) && last.get(name) !== inRotation) {
          const text = inRotation ? `the balancer takes ${name} back` : `the balancer ejects ${name}`;
          onRecord({ is: 'mark', at: monotonicMs(), what: 'note', text });
        }
        last.set(name, inRotation);
      }
      await sleep(100, undefined, { signal }).catch(() => undefined);
    }
  };
}

async function balancerProblems(lab: RunningLab): Promise<readonly string[]> {
  const balancer = await readBalancerStatus(lab.cx.paths).catch(() => undefined);
  if (balancer === undefined) return ['the balancer does not answer'];
  return balancer.backends.flatMap(({ name, inRotation }) =>
    inRotation ? [] : [`the balancer sends nothing to ${name}`],
  );
}

function namesOf(lab: RunningLab, role: string): readonly string[] {
  return lab.spec.machines.filter((machine) => machine.role === role).map(({ name }) => name);
}

/** Each kind of client once: a master, a pod on it, a worker, a pod on it, somebody outside. */
function clientsOf(lab: RunningLab): readonly DrillClient[] {
  const { endpoint } = lab.spec;
  const first = (role: string) => namesOf(lab, role).slice(0, 1);
  const pods = lab.cx.topology.pods.map((pod) => pod.name);
  const podOf = (node: string) => pods.filter((name) => name === `${node}-pod`);
  const onNode = (on: string) => [on, ...podOf(on)].map((name) => ({ name, on }));
  const clients = [
    ...[...first('control-plane'), ...first('worker')].flatMap(onNode),
    ...first('client').map((name) => ({ name, on: undefined })),
  ];
  return clients.map(({ name, on }) => ({
    name: on === undefined ? 'outside' : name,
    ...(on === undefined ? {} : { on }),
    config: {
      host: endpoint.domain ?? endpoint.addresses[0]?.text ?? '',
      port: endpoint.port,
      caFile: pkiFiles(lab.cx.paths).caFile,
      servers: 'header' as const,
    },
    paths: {
      health: '/livez',
      watch: '/api/v1/namespaces/lab/configmaps',
      operate: '/api/v1/namespaces/drill/configmaps',
    },
    channel: labChannel(lab, name),
  }));
}

/** Faults of the lab under the names that drills know them by. In the node tier ssh does what is done to processes. */
function labFaults(lab: RunningLab): readonly DrillFault[] {
  const known = new Set(faultsOf(lab.tier).map(({ name }) => name));
  const rows: readonly LabRow[] = [
    ...(lab.spec.tier === 'wire' ? standinRows : []),
    {
      name: 'node-off',
      summary: 'no process ends in order; heal boots it again',
      aimedAt: 'node',
      takesMembers: 'one',
      takesNodes: 'target',
      as: { fault: 'power-off' },
    },
    {
      name: 'node-silent',
      summary: 'the fabric drops all of its packets',
      aimedAt: 'node',
      takesMembers: 'one',
      as: { fault: 'silent' },
    },
    {
      name: 'cable-pulled',
      summary: 'its network cable is pulled',
      aimedAt: 'node',
      takesMembers: 'one',
      as: { fault: 'link-down' },
    },
    {
      name: 'balancer-down',
      summary: 'the balancer drops everything',
      aimedAt: 'balancer',
      takesMembers: 'none',
      as: { fault: 'balancer-down' },
    },
  ];
  return [
    ...rows.filter(({ as }) => known.has(as.fault)).map((row) => labFault(lab, row)),
    ...(known.has('power-off') ? [allMastersOff(lab)] : []),
  ];
}

type LabRow = Omit<DrillFault, 'would' | 'inject' | 'heal'> & { readonly as: Omit<BreakRequest, 'target'> };

/** A master of the wire tier has an apiserver and nothing else. */
const standinRows: readonly LabRow[] = [
  {
    name: 'apiserver-killed',
    summary: 'SIGKILL, and it does not come back',
    aimedAt: 'master',
    takesMembers: 'none',
    as: { fault: 'stop', process: 'kube-apiserver' },
  },
  {
    name: 'apiserver-frozen',
    summary: 'SIGSTOP',
    aimedAt: 'master',
    takesMembers: 'none',
    as: { fault: 'freeze', process: 'kube-apiserver' },
  },
];

function labFault(lab: RunningLab, { as, ...fault }: LabRow): DrillFault {
  const machine = (target: string) => (fault.aimedAt === 'balancer' ? undefined : target);
  return {
    ...fault,
    would: (target) => [
      `hairpin lab break ${[as.fault, machine(target), as.process].filter((word) => word !== undefined).join(' ')} --lab ${lab.name}`,
    ],
    async inject(target) {
      await breakLab(lab, { ...as, target: machine(target) });
    },
    heal: (target) => healHere(lab, as.fault, target),
  };
}

async function healHere(lab: RunningLab, fault: string, target: string): Promise<void> {
  const inForce = await readFaults(lab.cx.paths);
  if (inForce.some((record) => record.fault === fault && record.target === target)) {
    await healFaults(lab, { fault, target });
  }
}

/** A cold start: nobody is there who could tell the others anything. */
function allMastersOff(lab: RunningLab): DrillFault {
  const masters = namesOf(lab, 'control-plane');
  return {
    name: 'all-masters-off',
    summary: 'all masters lose power; heal boots them again',
    aimedAt: 'cluster',
    takesMembers: 'all',
    takesNodes: 'masters',
    would: () => masters.map((name) => `hairpin lab break power-off ${name} --lab ${lab.name}`),
    async inject() {
      await Promise.all(masters.map((target) => breakLab(lab, { fault: 'power-off', target })));
    },
    async heal() {
      await Promise.all(masters.map((target) => healHere(lab, 'power-off', target)));
    },
  };
}

/** What a balancer does wrong while one apiserver is away. */
function balancerFaults(lab: RunningLab): readonly DrillFault[] {
  const { paths, signal } = lab.cx;
  const { intervalMs } = lab.spec.balancer.healthCheck;
  const masters = namesOf(lab, 'control-plane');
  const change = (request: Parameters<typeof changeBalancer>[1]) => changeBalancer(paths, request, { signal });
  const wrongOne = (broken: string) => masters.find((name) => name !== broken) ?? broken;
  return [
    {
      name: 'balancer-slow',
      summary: 'the balancer checks ten times more seldom',
      aimedAt: 'balancer',
      takesMembers: 'none',
      would: () => [`health checks each ${(intervalMs * 10) / 1000} s`],
      inject: () => change({ op: 'checks', intervalMs: intervalMs * 10 }),
      heal: () => change({ op: 'checks', intervalMs }),
    },
    {
      name: 'balancer-wrong',
      summary: 'the balancer keeps this master whatever its checks say, and ejects a good one',
      aimedAt: 'master',
      takesMembers: 'none',
      would: (target) => [
        `hairpin lab balancer backend ${target} --force in --lab ${lab.name}`,
        `hairpin lab balancer backend ${wrongOne(target)} --force out --lab ${lab.name}`,
      ],
      async inject(target) {
        await change({ op: 'backend', name: target, forced: 'in' });
        await change({ op: 'backend', name: wrongOne(target), forced: 'out' });
      },
      async heal(target) {
        await change({ op: 'backend', name: target, forced: 'auto' });
        await change({ op: 'backend', name: wrongOne(target), forced: 'auto' });
      },
    },
  ];
}

/** What a stand-in can be switched to. */
function standinFaults(lab: RunningLab): readonly DrillFault[] {
  const about = { aimedAt: 'master', takesMembers: 'none' } as const;
  return [
    {
      ...about,
      name: 'apiserver-not-ready',
      summary: '/readyz says 500, all else goes on',
      would: (target) => [`the apiserver of ${target} answers /readyz with 500`],
      inject: async (target) => void (await setStandin(lab.cx.paths, target, { ready: false })),
      heal: async (target) => void (await setStandin(lab.cx.paths, target, { ready: true })),
    },
    {
      ...about,
      name: 'apiserver-slow',
      summary: 'each answer takes 400 ms more',
      would: (target) => [`the apiserver of ${target} waits 400 ms before each answer`],
      inject: async (target) => void (await setStandin(lab.cx.paths, target, { delayMs: 400 })),
      heal: async (target) => void (await setStandin(lab.cx.paths, target, { delayMs: 0 })),
    },
  ];
}

/** What is over as soon as it is done: others put it right, or nobody does. */
function commandFaults(lab: RunningLab): readonly DrillFault[] {
  const once = (name: string, summary: string, argv: readonly string[]): DrillFault => ({
    name,
    summary,
    aimedAt: 'node',
    takesMembers: 'none',
    would: (target) => [`${target}: ${argv.join(' ')}`],
    async inject(target, signal) {
      const result = await lab.exec(target, argv, { signal });
      if (result.exitCode === 0) return;
      throw new OperatorError('LAB_FAULT', `\`${argv.join(' ')}\` failed on ${target}`, { cause: result.stderr });
    },
    heal: async () => undefined,
  });
  return [
    once('rules-flushed', 'nft flush ruleset', ['nft', 'flush', 'ruleset']),
    once('conntrack-flushed', 'conntrack --flush', ['conntrack', '--flush']),
  ];
}
