import { createHash } from 'node:crypto';
import type { ApiNode, ClusterFacts, EtcdMember, FileFact, KubeadmPhase, Unit } from '../../src/facts/types.ts';
import type { Step } from '../../src/plan/step.ts';
import { setHostsBlock } from '../../src/render/hosts/block.ts';
import type { Spec, SpecNode } from '../../src/spec/spec.ts';
import { formatHostPort } from '../../src/std/address.ts';
import { clusterFacts, freshNode, known, seen } from './facts.ts';

interface Machine {
  readonly spec: SpecNode;
  phase: KubeadmPhase;
  etcdData: boolean;
  hosts: string;
  bound: boolean;
  readonly files: Map<string, FileFact>;
  readonly units: Map<string, Unit>;
  readonly users: Set<string>;
  readonly programs: Set<string>;
}

/**
 * Nodes on which plans are carried out in memory, as far as facts can tell: what the next plan would see. `cut` is a step
 * that was killed in the middle, with the worst it can leave.
 */
export class Simulation {
  readonly #spec: Spec;
  readonly #machines: Map<string, Machine>;
  #members: EtcdMember[] = [];
  #nodes = new Map<string, ApiNode>();
  /** What each node went through, for comparing runs. */
  readonly log: string[] = [];

  constructor(spec: Spec) {
    this.#spec = spec;
    this.#machines = new Map(
      spec.nodes.map((node) => [
        node.name,
        {
          spec: node,
          phase: 'nothing',
          etcdData: false,
          hosts: '127.0.0.1 localhost\n',
          bound: false,
          files: new Map(),
          units: new Map(),
          users: new Set(),
          programs: new Set(),
        },
      ]),
    );
  }

  run(steps: readonly Step[]): void {
    for (const step of steps) this.#apply(step);
  }

  /** The step was killed half way. */
  cut(step: Step): void {
    const machine = this.#machine(step.node);
    if (step.kind === 'kubeadm-init') {
      machine.phase = 'half-init';
      machine.etcdData = true;
    } else if (step.kind === 'kubeadm-join') {
      machine.phase = 'half-join';
      if (step.role === 'control-plane') this.#members.push(memberOf(machine.spec, { started: false }));
      if (step.role === 'control-plane') machine.etcdData = true;
    }
  }

  facts(): ClusterFacts {
    return clusterFacts(
      [...this.#machines.values()].map((machine) => {
        const { spec, phase, etcdData } = machine;
        const complete = phase === 'control-plane';
        const base = freshNode(this.#spec, spec);
        const addresses = machine.bound ? this.#spec.endpoint.addresses : [];
        return seen(spec.name, {
          ...base,
          interfaces: known(
            (base.interfaces.is === 'known' ? base.interfaces.value : []).map((nic) => ({
              ...nic,
              addresses: [...nic.addresses, ...addresses.map((address) => ({ address, prefix: 32, scope: 'host' }))],
            })),
          ),
          hosts: known({ text: machine.hosts, entries: [] }),
          files: known(Object.fromEntries(machine.files)),
          units: known(Object.fromEntries(machine.units)),
          program: known({
            glibc: '2.36',
            libraries: ['libgcc_s.so.1', 'libstdc++.so.6'],
            users: [...machine.users],
            versions: [...machine.programs],
          }),
          kubeadm: known({
            phase,
            because: 'simulated',
            present: [],
            staticPods: [],
            etcdData,
            kubeletConfigured: complete,
          }),
          ...(complete
            ? {
                kubeconfigs: known([
                  {
                    path: '/etc/kubernetes/admin.conf',
                    server: `https://${formatHostPort(this.#spec.endpoint.host, this.#spec.endpoint.port)}`,
                    caFingerprint: undefined,
                  },
                ]),
                etcd: known({ clusterId: 'c', members: this.#members }),
                api: known({
                  version: this.#spec.kubernetes.version.text,
                  ready: true,
                  nodes: [...this.#nodes.values()],
                  configMaps: ['kubeadm-config'],
                  clusterConfiguration: undefined,
                  kubeProxyServer: undefined,
                  workloads: ['daemonset/kube-proxy', 'deployment/coredns'].map((name) => ({
                    name,
                    ready: 1,
                    wanted: 1,
                  })),
                }),
              }
            : {}),
        });
      }),
    );
  }

  /** Everything but the log, as text: equal states have equal texts. */
  state(): string {
    const machines = [...this.#machines.values()].map(({ spec, files, units, users, programs, ...rest }) => ({
      name: spec.name,
      ...rest,
      users: [...users],
      programs: [...programs],
      files: [...files].toSorted(byKey),
      units: [...units].filter(([, unit]) => unit.active === 'active').toSorted(byKey),
    }));
    const members = this.#members.map((m) => m.name).toSorted();
    return JSON.stringify({ machines, members, nodes: [...this.#nodes.keys()].toSorted() }, undefined, 1);
  }

  #apply(step: Step): void {
    const machine = this.#machine(step.node);
    if (step.kind !== 'hold') this.log.push(step.id);
    switch (step.kind) {
      case 'write-file': {
        const sha256 = createHash('sha256').update(step.content).digest('hex');
        const mode = step.mode.toString(8);
        machine.files.set(step.path, { sha256, mode, owner: step.owner, bytes: step.content.length });
        break;
      }
      case 'remove-file':
        machine.files.delete(step.path);
        if (step.path.startsWith('/etc/systemd/system/')) machine.units.delete(step.path.split('/').at(-1) ?? '');
        break;
      case 'unit': {
        if (step.actions.includes('reload')) break;
        const up = step.actions.includes('restart') || step.actions.includes('start');
        if (up && !machine.files.has(`/etc/systemd/system/${step.unit}`)) throw new Error(`${step.unit} has no file`);
        machine.units.set(
          step.unit,
          up ? { active: 'active', enabled: 'enabled' } : { active: 'inactive', enabled: 'disabled' },
        );
        this.#bind(machine, step.unit, up);
        break;
      }
      case 'run':
        if (step.argv.includes('uninstall')) {
          machine.units.set('hairpin-steer.service', { active: 'inactive', enabled: 'disabled' });
        }
        if (step.argv[3] === 'hairpin-user') machine.users.add(step.argv[4] ?? '');
        break;
      case 'hosts-block':
        machine.hosts = setHostsBlock(machine.hosts, step.lines);
        break;
      case 'install-program':
        machine.programs.add(step.program);
        break;
      case 'kubeadm-ca':
        this.#mustBe(machine, 'nothing', step);
        machine.files.set(caPath, caFile);
        break;
      case 'deliver-ca': {
        const ca = this.#machine(step.from).files.get(caPath);
        if (ca === undefined) throw new Error(`${step.id}: ${step.from} has no CA`);
        machine.files.set(step.path, ca);
        break;
      }
      case 'kubeadm-init':
        this.#mustBe(machine, 'nothing', step);
        machine.files.set(caPath, caFile);
        this.#join(machine, 'control-plane');
        break;
      case 'kubeadm-join':
        this.#mustBe(machine, 'nothing', step);
        if (this.#nodes.size === 0) throw new Error(`${step.id}: there is no cluster to join`);
        if (this.#nodes.has(step.node)) throw new Error(`${step.id}: the name is taken`);
        this.#join(machine, step.role);
        break;
      case 'kubeadm-reset':
        machine.phase = 'nothing';
        machine.etcdData = false;
        machine.files.delete(caPath);
        break;
      case 'remove-etcd-member':
        this.#members = this.#members.filter((member) => member.id !== step.memberId);
        break;
      case 'delete-node':
        this.#nodes.delete(step.name);
        break;
      case 'apply-manifest':
      case 'copy-certificates':
      case 'delete-credentials':
      case 'hold':
      case 'import-images':
      case 'install-bundle':
      case 'join-credentials':
      case 'restart-pods':
        break;
    }
  }

  #join(machine: Machine, role: 'control-plane' | 'worker'): void {
    const { spec } = machine;
    machine.phase = role;
    if (role === 'control-plane') {
      if (this.#members.some((m) => m.peerUrls[0] === memberOf(spec, { started: true }).peerUrls[0])) {
        throw new Error(`etcd has a member for ${spec.name} already`);
      }
      machine.etcdData = true;
      this.#members.push(memberOf(spec, { started: true }));
    }
    this.#nodes.set(spec.name, {
      name: spec.name,
      ready: true,
      controlPlane: role === 'control-plane',
      kubelet: this.#spec.kubernetes.version.text,
      addresses: spec.addresses.map((a) => a.text),
      unschedulable: false,
    });
  }

  #mustBe(machine: Machine, phase: KubeadmPhase, step: Step): void {
    if (machine.phase !== phase) throw new Error(`${step.id} on a node that is ${machine.phase}`);
  }

  #bind(machine: Machine, unit: string, up: boolean): void {
    if (unit === 'hairpin-vip.service' || unit === 'hairpin-keepalived.service') machine.bound = up;
  }

  #machine(name: string): Machine {
    const machine = this.#machines.get(name);
    if (machine === undefined) throw new Error(`The plan names ${name}, which is not in the spec`);
    return machine;
  }
}

const caPath = '/etc/kubernetes/pki/ca.crt';
const caFile: FileFact = { sha256: 'ca'.padEnd(64, '0'), mode: '644', owner: 'root:root', bytes: 1000 };

function memberOf(node: SpecNode, opts: { started: boolean }): EtcdMember {
  return {
    id: createHash('sha256').update(node.name).digest('hex').slice(0, 16),
    name: opts.started ? node.name : '',
    peerUrls: [`https://${formatHostPort(node.address, 2380)}`],
    clientUrls: [],
    learner: !opts.started,
  };
}

function byKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return a[0] < b[0] ? -1 : 1;
}
