import { type ProbeReport, type ProbeRequest, runHairpinProbe } from '../../src/balancer/probe/run-probe.ts';
import type { RunningLab } from '../../src/lab/runtime/open-lab.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { LocalNode } from '../../src/node/local.ts';
import { silent } from '../../src/report/event.ts';
import { standinPid } from './balancer-lab.ts';

/** What `hairpin probe` would ask of a lab, with the lab's machines as nodes. */
export function probeRequest(lab: RunningLab, change: Partial<ProbeRequest> = {}): ProbeRequest {
  const { endpoint, machines, balancer, backendPort } = lab.spec;
  return {
    nodes: machines.flatMap(({ name, role, addresses }) =>
      role === 'client' ? [] : [{ node: new LocalNode(name, lab.argvIn(name, [])), role, addresses }],
    ),
    endpoint: {
      host: endpoint.domain ?? endpoint.addresses[0]?.text ?? '',
      domain: endpoint.domain,
      addresses: endpoint.domain === undefined ? endpoint.addresses : [],
      port: endpoint.port,
    },
    backendPort,
    healthCheck: balancer.healthCheck,
    tries: 30,
    ...change,
  };
}

export function probeLab(lab: Lab, change: Partial<ProbeRequest> = {}): Promise<ProbeReport> {
  return runHairpinProbe(probeRequest(lab, change), { signal: new AbortController().signal, emit: silent });
}

/** `m1 drop, m2 drop, w1 works`, the cluster's behaviour, and the codes of the problems. */
export function inShort({ verdict }: ProbeReport) {
  return {
    nodes: verdict.nodes.map((node) => `${node.node} ${node.class}`).join(', '),
    behaviour: verdict.behaviour,
    problems: verdict.problems.map((problem) => `${problem.code} ${problem.nodes.join(' ')}`.trim()),
  };
}

/** Masters with nothing on their apiserver port: what bare machines are before `up`. */
export async function withoutApiservers(lab: Lab): Promise<void> {
  for (const { name, role } of lab.spec.machines) {
    if (role === 'control-plane') process.kill(await standinPid(lab, name), 'SIGKILL');
  }
}

/** What a probe may have left in a machine: tables and listeners. */
export async function leftovers(lab: Lab, machine: string): Promise<string[]> {
  const script = `nft list tables | grep hairpin_probe; ss -Hlntp | grep perl; :`;
  return (await lab.exec(machine, ['sh', '-c', script])).stdout.split('\n').filter((line) => line !== '');
}
