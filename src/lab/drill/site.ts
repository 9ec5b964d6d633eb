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
import { trafficArgv } from './traffic-argv.ts';

/** A lab of the wire tier as a site of drills: stand-ins for apiservers, and faults that only a lab can do. */
export function labSite(lab: RunningLab): DrillSite {
  if (lab.spec.tier !== 'wire') {
    throw new OperatorError('DRILL_UNAVAILABLE', `Lab \`${lab.name}\` is of the ${lab.spec.tier} tier`, {
      hint: `drills of real nodes go through their cluster.yaml: hairpin drill run NAME -f ${lab.cx.paths.clusterYaml}`,
    });
  }
  const masters = namesOf(lab, 'control-plane');
  return {
    name: `lab ${lab.name}`,
    strategy: `balancer ${lab.spec.balancer.behaviour}`,
    masters,
    workers: namesOf(lab, 'worker'),
    clients: clientsOf(lab),
    faults: [...labFaults(lab), ...standinFaults(lab), ...commandFaults(lab)],
    directory: lab.cx.paths.root,
    watched: 'every',
    async problems() {
      const broken = (await readFaults(lab.cx.paths)).map(({ fault, target }) => `${fault} is in force on ${target}`);
      if (broken.length > 0) return broken;
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
    },
  };
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
      caFile: pkiFiles(lab.cx.paths).caFile,
      servers: 'header' as const,
    },
    paths: {
      health: '/livez',
      watch: '/api/v1/namespaces/lab/configmaps',
      operate: '/api/v1/namespaces/drill/configmaps',
    },
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
    .filter(({ as }) => known.has(as.fault))
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
