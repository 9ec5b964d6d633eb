import type { Fact, Interface, KubeadmPhase } from '../../facts/types.ts';
import { formatHostPort } from '../../std/address.ts';
import type { Sighting } from '../cause.ts';
import type { Dials, Live, LiveNode } from '../evidence.ts';

/** The value of a fact that was seen. */
export function known<T>(fact: Fact<T> | undefined): T | undefined {
  return fact?.is === 'known' ? fact.value : undefined;
}

export function masters(live: Live): readonly LiveNode[] {
  return live.nodes.filter(({ spec }) => spec.role === 'control-plane');
}

export function phaseOf(node: LiveNode): KubeadmPhase | undefined {
  return known(node.facts?.kubeadm)?.phase;
}

/** Masters on which kubeadm has finished. */
export function membersOf(live: Live): readonly LiveNode[] {
  return masters(live).filter((node) => phaseOf(node) === 'control-plane');
}

export function isMember(node: LiveNode): boolean {
  const phase = phaseOf(node);
  return phase === 'control-plane' || phase === 'worker';
}

/** Programs that listen for TCP on a port, whatever the address. */
export function listeners(node: LiveNode, port: number): readonly string[] | undefined {
  const all = known(node.facts?.listening);
  return all?.filter((one) => one.protocol === 'tcp' && one.port === port).flatMap(({ programs }) => programs);
}

/** `undefined` where nobody could look; `[]` where nobody listens. */
export function listensOn(node: LiveNode, port: number): boolean | undefined {
  const all = known(node.facts?.listening);
  return all?.some((one) => one.protocol === 'tcp' && one.port === port);
}

/** Interfaces that have an address of the endpoint. */
export function holdingEndpoint(node: LiveNode, live: Live): readonly Interface[] {
  const wanted = new Set(live.spec.endpoint.addresses.map(({ text }) => text));
  return (known(node.facts?.interfaces) ?? []).filter(({ addresses }) =>
    addresses.some(({ address }) => wanted.has(address.text)),
  );
}

/** How the node's tries at the endpoint went, where any were made. */
export function endpointDials(node: LiveNode): Dials | undefined {
  return node.look?.dials.endpoint;
}

/** Whether every master that belongs to the cluster answers this node when it is dialled directly. */
export function reachesMembers(node: LiveNode, live: Live): boolean {
  const names = new Set(membersOf(live).map(({ spec }) => spec.name));
  const dials = (node.look?.dials.masters ?? []).filter(({ master }) => names.has(master));
  return dials.length > 0 && dials.every(({ answered, tries }) => answered === tries);
}

/**
 * Nobody gets an answer at the endpoint, though apiservers answer when they are dialled directly. Workers are asked where
 * there are some: masters may have a way of their own past the balancer.
 */
export function endpointServesNobody(live: Live): boolean {
  const dialled = live.nodes.filter(
    (node) => endpointDials(node) !== undefined && holdingEndpoint(node, live).length === 0,
  );
  const workers = dialled.filter(({ spec }) => spec.role === 'worker');
  const asked = workers.length > 0 ? workers : dialled;
  return (
    asked.length > 0 &&
    asked.every((node) => endpointDials(node)?.answered === 0) &&
    asked.some((node) => (node.look?.dials.masters ?? []).some(({ answered }) => answered > 0))
  );
}

/** Direct tries at one master, by everybody who made some. */
export function dialsAt(live: Live, master: string): readonly { readonly by: string; readonly dials: Dials }[] {
  return live.nodes.flatMap(({ spec, look }) =>
    (look?.dials.masters ?? []).filter((one) => one.master === master).map((dials) => ({ by: spec.name, dials })),
  );
}

export function endpointText(live: Live): string {
  return formatHostPort(live.spec.endpoint.host, live.spec.endpoint.port);
}

/** One sighting for each node of which `saw` has something to say. */
export function each(
  nodes: readonly LiveNode[],
  confidence: Sighting['confidence'],
  saw: (node: LiveNode) => string | undefined,
): readonly Sighting[] {
  return nodes.flatMap((node) => {
    const text = saw(node);
    return text === undefined ? [] : [{ node: node.spec.name, confidence, saw: text }];
  });
}
