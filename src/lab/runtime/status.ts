import { readBalancerStatus } from '../balancer/client.ts';
import type { FaultRecord } from '../faults/fault.ts';
import { readFaults } from '../faults/records.ts';
import type { LabRole } from '../spec/lab-spec.ts';
import type { MachineState } from '../tier/tier.ts';
import { openLab } from './open-lab.ts';

/** What `lab status --output json` prints: where things are, who is there, what is broken on purpose. */
export interface LabStatus {
  readonly name: string;
  readonly tier: string;
  readonly network: string;
  readonly kubernetes: string;
  readonly directory: string;
  /** The `cluster.yaml` for `hairpin up`. */
  readonly spec: string;
  /** `null` in the wire tier: nobody logs in to a namespace. */
  readonly ssh_config: string | null;
  readonly endpoint: { readonly domain: string | null; readonly addresses: readonly string[]; readonly port: number };
  readonly dns: readonly string[];
  readonly nodes: readonly MachineStatus[];
  readonly balancer: BalancerSummary;
  readonly faults: readonly Omit<FaultRecord, 'undo'>[];
}

export interface MachineStatus {
  readonly name: string;
  readonly role: LabRole;
  readonly addresses: readonly string[];
  readonly netns: string;
  readonly state: MachineState;
}

export interface BalancerSummary {
  readonly preset: string | null;
  readonly behaviour: string;
  readonly addresses: readonly string[];
  /** Why it could not be asked; then `detail` is null. */
  readonly problem: string | null;
  /** What the balancer itself says: backends, health, counters, flows. */
  readonly detail: unknown;
}

export async function labStatus(name: string, opts: { readonly signal?: AbortSignal } = {}): Promise<LabStatus> {
  const lab = await openLab(name, opts);
  const { spec, cx, tier } = lab;
  const nodes = await Promise.all(
    cx.topology.machines.map(
      async ({ machine, netns }): Promise<MachineStatus> => ({
        name: machine.name,
        role: machine.role,
        addresses: machine.addresses.map((a) => a.text),
        netns,
        state: machine.role === 'client' ? 'running' : await tier.state(cx, machine.name),
      }),
    ),
  );
  const asked = await readBalancerStatus(cx.paths, opts).then(
    (detail) => ({ problem: null, detail }),
    (error: unknown) => ({ problem: error instanceof Error ? error.message : String(error), detail: null }),
  );
  return {
    name,
    tier: spec.tier,
    network: spec.network,
    kubernetes: spec.kubernetes,
    directory: cx.paths.root,
    spec: cx.paths.clusterYaml,
    ssh_config: spec.tier === 'node' ? cx.paths.sshConfig : null,
    endpoint: {
      domain: spec.endpoint.domain ?? null,
      addresses: spec.endpoint.addresses.map((a) => a.text),
      port: spec.endpoint.port,
    },
    dns: cx.topology.dns.addresses.map((a) => a.text),
    nodes,
    balancer: {
      preset: spec.preset ?? null,
      behaviour: spec.balancer.behaviour,
      addresses: cx.topology.balancer.addresses.map((a) => a.text),
      ...asked,
    },
    faults: (await readFaults(cx.paths)).map(({ undo: _undo, ...shown }) => shown),
  };
}
