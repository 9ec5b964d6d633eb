import type { ClusterFacts, Fact, FileFact, KubeadmPhase, NodeFacts, Unit } from '../facts/types.ts';
import type { SpecNode } from '../spec/spec.ts';
import { type Address, sameAddress } from '../std/address.ts';

/** Facts of one node, as the planner asks for them. A node that was not seen answers "nothing there" to everything. */
export class NodeView {
  readonly name: string;
  readonly facts: NodeFacts | undefined;

  constructor(name: string, facts: NodeFacts | undefined) {
    this.name = name;
    this.facts = facts;
  }

  get phase(): KubeadmPhase {
    return known(this.facts?.kubeadm)?.phase ?? 'nothing';
  }

  file(path: string): FileFact | undefined {
    return known(this.facts?.files)?.[path];
  }

  unit(name: string): Unit | undefined {
    return known(this.facts?.units)?.[name];
  }

  hostsText(): string | undefined {
    return known(this.facts?.hosts)?.text;
  }

  /** `undefined`: it is not known whether. */
  hasAddress(address: Address): boolean | undefined {
    const interfaces = known(this.facts?.interfaces);
    return interfaces?.some((nic) => nic.addresses.some((a) => sameAddress(a.address, address)));
  }

  /** The interface that has the node's primary address. */
  device(node: SpecNode): string | undefined {
    if (node.interface !== undefined) return node.interface;
    const interfaces = known(this.facts?.interfaces);
    return interfaces?.find((nic) => nic.addresses.some((a) => sameAddress(a.address, node.address)))?.name;
  }

  /** What the endpoint's name resolves to here, unless /etc/hosts says so. */
  resolved(): readonly Address[] {
    return (known(this.facts?.endpointLookup) ?? []).flatMap((lookup) => (lookup.fromHosts ? [] : lookup.addresses));
  }
}

export class FactsView {
  readonly #nodes: ReadonlyMap<string, NodeView>;

  constructor(facts: ClusterFacts) {
    this.#nodes = new Map(
      facts.nodes.map((report) => [
        report.node,
        new NodeView(report.node, report.is === 'seen' ? report.facts : undefined),
      ]),
    );
  }

  node(name: string): NodeView {
    return this.#nodes.get(name) ?? new NodeView(name, undefined);
  }
}

export function known<T>(fact: Fact<T> | undefined): T | undefined {
  return fact?.is === 'known' ? fact.value : undefined;
}
