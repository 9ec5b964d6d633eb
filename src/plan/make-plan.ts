import type { HairpinBehaviour } from '../balancer/behaviour.ts';
import type { ClusterFacts } from '../facts/types.ts';
import { agentPaths } from '../render/agent/paths.ts';
import { apiOf, kubeadmApiFor } from '../render/kubeadm/api.ts';
import { canUploadCertificates } from '../render/kubeadm/commands.ts';
import type { DocumentOptions } from '../render/kubeadm/documents.ts';
import type { Spec, SpecNode } from '../spec/spec.ts';
import { type Address, sameAddress } from '../std/address.ts';
import { atLeast } from '../std/version.ts';
import { type Choice, chooseStrategy } from '../strategy/choose.ts';
import type { BoundStrategy } from '../strategy/strategies.ts';
import type { UnsafeChoice } from '../strategy/strategy.ts';
import { balancerAdvice } from './balancer-advice.ts';
import { findBlockers } from './blockers.ts';
import { StepList } from './builder.ts';
import type { PlanBundle } from './bundle.ts';
import { bypassWarnings } from './bypass-warnings.ts';
import { clusterState } from './cluster.ts';
import type { PlanContext } from './context.ts';
import { NodeDesk } from './desk.ts';
import { effectiveEndpoints } from './effective-endpoints.ts';
import { phases } from './phases/index.ts';
import type { Plan, PlanBlocker, PlanWarning } from './plan.ts';
import { FactsView } from './view.ts';

export interface PlanInput {
  readonly spec: Spec;
  readonly facts: ClusterFacts;
  /** What `probe` found out; `undefined` when nobody has measured. */
  readonly measured: HairpinBehaviour | undefined;
  readonly acceptUnsafe: ReadonlySet<UnsafeChoice>;
  /** What is in the bundle that the spec names; without it everything is planned that it may bring. */
  readonly bundle?: PlanBundle | undefined;
  /** Names hairpin's own program as nodes would get it (src/program/identity.ts). */
  readonly program: string;
}

/**
 * The plan for these facts. Resume is re-plan: there are steps only for what the facts do not show, so a plan for a
 * finished cluster has none.
 */
export function makePlan(input: PlanInput): Plan {
  const { spec, facts, measured } = input;
  const written = spec.balancer?.hairpin;
  const behaviour = measured ?? (written === 'auto' ? undefined : written);
  const view = new FactsView(facts);
  const cluster = clusterState(spec, view);
  const warnings: PlanWarning[] = [];
  const choice = chooseStrategy({
    spec,
    behaviour,
    endpointAddresses: endpointAddresses(spec, view),
    masters: cluster.masters,
    leader: cluster.leader,
    device: (node) => view.node(node.name).device(node) ?? 'eth0',
    acceptUnsafe: input.acceptUnsafe,
    program: input.program,
    draining: cluster.masters.map(({ name }) => name).filter((name) => view.node(name).file(agentPaths.drainFile)),
  });
  const { strategy } = choice;
  const desks = new Map<string, NodeDesk>();
  const cx: PlanContext = {
    spec,
    view,
    cluster,
    strategy,
    documents: documentOptions(spec, strategy),
    bundle: input.bundle,
    program: input.program,
    steps: new StepList(),
    warn: (warning) => void warnings.push(warning),
    desk(node) {
      const desk = desks.get(node) ?? new NodeDesk(view.node(node));
      desks.set(node, desk);
      return desk;
    },
  };
  const blockers = [...unsuitable(choice), ...findBlockers(cx, facts)];
  // An unsuitable strategy may not even be able to say what it wants.
  if (choice.unsuitable === undefined) for (const phase of phases) phase.plan(cx);
  return {
    cluster: spec.name,
    kubernetes: spec.kubernetes.version.text,
    nodes: {
      controlPlane: cluster.masters.map((node) => node.name),
      workers: spec.nodes.filter((node) => node.role === 'worker').map((node) => node.name),
    },
    endpoint: { host: spec.endpoint.host, port: spec.endpoint.port },
    strategy: {
      name: strategy.name,
      because: choice.because,
      behaviour,
      behaviourFrom: measured !== undefined ? 'measured' : behaviour !== undefined ? 'spec' : 'unknown',
      doesNotSurvive: strategy.doesNotSurvive,
    },
    steps: cx.steps.steps,
    blockers,
    warnings: [
      ...warnings,
      ...strategyWarnings(strategy),
      ...deviceWarnings(cx),
      ...bypassWarnings(cx),
      ...contradiction(written, measured),
    ],
    effectiveEndpoints: choice.unsuitable === undefined ? effectiveEndpoints(cx) : [],
    balancer: balancerAdvice(spec, strategy.name),
    estimateMs: cx.steps.longestMs,
  };
}

/** What the spec says, or what most nodes' DNS says where /etc/hosts does not interfere. */
function endpointAddresses(spec: Spec, view: FactsView): readonly Address[] {
  if (spec.endpoint.addresses.length > 0) return spec.endpoint.addresses;
  const found: Address[] = [];
  for (const node of spec.nodes) {
    for (const address of view.node(node.name).resolved()) {
      if (!found.some((a) => sameAddress(a, address))) found.push(address);
    }
  }
  return found.sort((a, b) => a.family - b.family || (a.text < b.text ? -1 : 1));
}

function documentOptions(spec: Spec, strategy: BoundStrategy): DocumentOptions {
  const { version } = spec.kubernetes;
  const api = kubeadmApiFor(version, spec.kubeadm.documents);
  const masters = strategy.context.masters.length;
  // 1.31 and 1.32 have the gate switched off. Where the endpoint of a master is the master itself anyway, a kubelet that
  // dials its apiserver directly loses nothing and does not depend on an address or a hosts line.
  const endpointIsSelf = strategy.name === 'bind-vip' || strategy.name === 'hosts';
  const localMode = endpointIsSelf && atLeast(version, 1, 31) && !atLeast(version, 1, 33);
  const users = spec.kubeadm.documents.find(
    (document) => apiOf(document) !== undefined && document.kind === 'ClusterConfiguration',
  );
  const usersGates =
    (users as { readonly featureGates?: Readonly<Record<string, boolean>> } | undefined)?.featureGates ?? {};
  return {
    uploadCertificates: masters > 1 && canUploadCertificates(api),
    featureGates: { ...(localMode ? { ControlPlaneKubeletLocalMode: true } : {}), ...usersGates },
    discoveryTimeoutSeconds: 60,
    endpointIsOnNodes: strategy.name === 'bind-vip' || strategy.name.startsWith('keepalived'),
  };
}

function unsuitable({ strategy, unsuitable: why }: Choice): readonly PlanBlocker[] {
  if (why === undefined) return [];
  return [
    {
      code: why.code,
      node: undefined,
      problem: `strategy ${strategy.name} does not fit: ${why.reason}`,
      hint: why.hint,
    },
  ];
}

function strategyWarnings(strategy: BoundStrategy): readonly PlanWarning[] {
  return strategy.warnings().map(({ code, text }) => ({ is: 'warning', code, node: undefined, text }));
}

/** Without facts nobody knows the name of the interface; files that name it are then a guess. */
function deviceWarnings({ view, cluster, strategy }: PlanContext): readonly PlanWarning[] {
  const usesDevice = strategy.name !== 'direct' && strategy.name !== 'hosts';
  const unknown = cluster.masters.filter((node: SpecNode) => view.node(node.name).device(node) === undefined);
  if (!usesDevice || unknown.length === 0) return [];
  return [
    {
      is: 'warning',
      code: 'DEVICE_ASSUMED',
      node: undefined,
      text: `eth0 is assumed on ${unknown.map((node) => node.name).join(', ')}: no interface with the node's address was seen`,
    },
  ];
}

function contradiction(written: string | undefined, measured: HairpinBehaviour | undefined): readonly PlanWarning[] {
  if (written === undefined || written === 'auto' || measured === undefined || written === measured) return [];
  return [
    {
      is: 'warning',
      code: 'BEHAVIOUR_CONTRADICTS_SPEC',
      node: undefined,
      text: `spec.balancer.hairpin says ${written}, measured was ${measured}; the measurement counts`,
    },
  ];
}
