import type { DrillFault } from '../../drill/faults/fault.ts';
import type { DrillClient, DrillSite } from '../../drill/site/site.ts';
import { trafficProgram } from '../../drill/traffic/run-traffic.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { readBalancerStatus } from '../balancer/client.ts';
import { type BreakRequest, breakLab, healFaults } from '../faults/break.ts';
import { faultsOf } from '../faults/list.ts';
import { readFaults } from '../faults/records.ts';
import { pkiFiles } from '../pki/pki.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import { readStandin, setStandin } from '../standin/control.ts';
import { prepareRealCluster, type RealCluster, realProblems } from './real-cluster.ts';
import { trafficArgv } from './traffic-argv.ts';

/**
 * A lab as a site of drills. In the wire tier stand-ins play the apiservers and watches show their ticks; in the node
 * tier the cluster is real, and watches have to show what was written.
 */
export async function labSite(lab: RunningLab): Promise<DrillSite> {
  const masters = namesOf(lab, 'control-plane');
  const about = {
    name: `lab ${lab.name}`,
    strategy: `balancer ${lab.spec.balancer.behaviour}`,
    masters,
    workers: namesOf(lab, 'worker'),
    directory: lab.cx.paths.root,
  };
  if (lab.spec.tier === 'node') {
    return {
      ...about,
      faults: [...labFaults(lab), ...unitFaults(lab), ...commandFaults(lab)],
      watched: 'acknowledged',
      clients: async () => clientsOf(lab, await prepareRealCluster(lab, masters)),
      problems: async () => [...(await brokenIn(lab)), ...(await realProblems(lab, masters))],
    };
  }
  const standins = {
    config: { caFile: pkiFiles(lab.cx.paths).caFile, servers: 'header' as const },
    paths: {
      health: '/livez',
      watch: '/api/v1/namespaces/lab/configmaps',
      operate: '/api/v1/namespaces/drill/configmaps',
    },
  };
  return {
    ...about,
    faults: [...labFaults(lab), ...standinFaults(lab), ...commandFaults(lab)],
    watched: 'every',
    clients: async () => clientsOf(lab, standins),
    problems: async () => [...(await brokenIn(lab)), ...(await standinProblems(lab, masters))],
  };
}

async function brokenIn(lab: RunningLab): Promise<readonly string[]> {
  return (await readFaults(lab.cx.paths)).map(({ fault, target }) => `${fault} is in force on ${target}`);
}

async function standinProblems(lab: RunningLab, masters: readonly string[]): Promise<readonly string[]> {
  const [standins, balancer] = await Promise.all([
    Promise.all(masters.map((name) => readStandin(lab.cx.paths, name).catch(() => undefined))),
    readBalancerStatus(lab.cx.paths).catch(() => undefined),
  ]);
  const out = balancer?.backends.filter((backend) => !backend.inRotation).map((backend) => backend.name) ?? [];
  return [
    ...standins.flatMap((status, i) =>
      status === undefined
        ? [`the apiserver of ${masters[i]} does not answer`]
        : status.ready && status.live
          ? []
          : [`the apiserver of ${masters[i]} is not ready`],
    ),
    ...(balancer === undefined ? ['the balancer does not answer'] : []),
    ...out.map((name) => `the balancer sends nothing to ${name}`),
  ];
}

function namesOf(lab: RunningLab, role: string): readonly string[] {
  return lab.spec.machines.filter((machine) => machine.role === role).map(({ name }) => name);
}

/** Each kind of client once: a master, a pod on it, a worker, a pod on it, somebody outside. */
function clientsOf(lab: RunningLab, access: RealCluster): readonly DrillClient[] {
  const { endpoint } = lab.spec;
  const first = (role: string) => namesOf(lab, role).slice(0, 1);
  const pods = lab.cx.topology.pods.map((pod) => pod.name);
  const podOf = (node: string) => pods.filter((name) => name === `${node}-pod`);
  const names = [
    ...first('control-plane').flatMap((name) => [name, ...podOf(name)]),
    ...first('worker').flatMap((name) => [name, ...podOf(name)]),
    ...first('client'),
  ];
  return names.map((name) => ({
    name: lab.spec.machines.some((machine) => machine.name === name && machine.role === 'client') ? 'outside' : name,
    config: {
      host: endpoint.domain ?? endpoint.addresses[0]?.text ?? '',
      port: endpoint.port,
      ...access.config,
    },
    paths: access.paths,
    argv: (config: string) => trafficArgv(lab.cx, name, [process.execPath, trafficProgram, config]),
  }));
}

/** Faults of the lab under the names that drills know them by. */
function labFaults(lab: RunningLab): readonly DrillFault[] {
  const known = new Set(faultsOf(lab.tier).map(({ name }) => name));
  const rows: readonly (Omit<DrillFault, 'would' | 'inject' | 'heal'> & {
    readonly as: Omit<BreakRequest, 'target'>;
  })[] = [
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
    {
      name: 'etcd-killed',
      summary: 'SIGKILL, and its manifest is taken away',
      aimedAt: 'master',
      takesMembers: 'one',
      as: { fault: 'stop', process: 'etcd' },
    },
    {
      name: 'etcd-frozen',
      summary: 'SIGSTOP',
      aimedAt: 'master',
      takesMembers: 'one',
      as: { fault: 'freeze', process: 'etcd' },
    },
    {
      name: 'kubelet-stopped',
      summary: 'SIGKILL, and its unit is masked',
      aimedAt: 'node',
      takesMembers: 'none',
      as: { fault: 'stop', process: 'kubelet' },
    },
    {
      name: 'node-off',
      summary: 'no process ends in order; heal boots it again',
      aimedAt: 'node',
      takesMembers: 'one',
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
      name: 'balancer-down',
      summary: 'the balancer drops everything',
      aimedAt: 'balancer',
      takesMembers: 'none',
      as: { fault: 'balancer-down' },
    },
  ];
  return rows
    .filter(({ as }) => known.has(as.fault) && runsHere(lab, as.process))
    .map(({ as, ...fault }) => {
      const machine = (target: string) => (fault.aimedAt === 'balancer' ? undefined : target);
      return {
        ...fault,
        would: (target) => [
          `hairpin lab break ${[as.fault, machine(target), as.process].filter((word) => word !== undefined).join(' ')} --lab ${lab.name}`,
        ],
        async inject(target) {
          await breakLab(lab, { ...as, target: machine(target) });
        },
        async heal(target) {
          const inForce = await readFaults(lab.cx.paths);
          if (inForce.some((record) => record.fault === as.fault && record.target === target)) {
            await healFaults(lab, { fault: as.fault, target });
          }
        },
      };
    });
}

/** A master of the wire tier has an apiserver and nothing else. */
function runsHere(lab: RunningLab, process: string | undefined): boolean {
  return lab.spec.tier === 'node' || process === undefined || process === 'kube-apiserver';
}

/** Units of a booted node: killed and masked until the next boot, or frozen. */
function unitFaults(lab: RunningLab): readonly DrillFault[] {
  const rows = [
    { name: 'agent', aimedAt: 'node', units: ['hairpin-agent.service', 'hairpin-steerer.service'] },
    { name: 'haproxy', aimedAt: 'master', units: ['haproxy.service'] },
    { name: 'keepalived', aimedAt: 'master', units: ['keepalived.service'] },
  ] as const;
  const shell = async (target: string, script: string) => {
    const result = await lab.exec(target, ['sh', '-c', script]);
    if (result.exitCode === 0) return;
    throw new OperatorError('LAB_FAULT', `\`${script}\` failed on ${target}`, { cause: result.stderr.trim() });
  };
  return rows.flatMap(({ name, aimedAt, units }): readonly DrillFault[] => {
    const all = units.join(' ');
    const fault = (how: string, summary: string, inject: string, heal: string): DrillFault => ({
      name: `${name}-${how}`,
      summary,
      aimedAt,
      takesMembers: 'none',
      would: (target) => [`${target}: ${inject}`],
      inject: (target) => shell(target, inject),
      heal: (target) => shell(target, heal),
    });
    return [
      fault(
        'killed',
        'SIGKILL, and its units are masked',
        `systemctl is-active --quiet ${units[0]} && systemctl mask --runtime --quiet ${all} && systemctl kill --signal=KILL ${all}`,
        `systemctl unmask --runtime --quiet ${all}; systemctl start ${all}`,
      ),
      fault(
        'frozen',
        'SIGSTOP',
        `systemctl is-active --quiet ${units[0]} && systemctl kill --signal=STOP ${all}`,
        `systemctl kill --signal=CONT ${all}`,
      ),
    ];
  });
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
    ...(lab.spec.tier === 'node'
      ? [once('containerd-restarted', 'systemctl restart containerd', ['systemctl', 'restart', 'containerd'])]
      : []),
  ];
}
