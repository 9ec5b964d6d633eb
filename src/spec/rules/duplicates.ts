import type { PlacedFinding, Rule } from './rule.ts';

/** Names become Kubernetes node names, addresses become etcd peers: both must be unique. One pass with a map each. */
export const duplicates: Rule = {
  name: 'duplicates',
  holds: 'no two nodes have the same name or address, and no node has the name of the endpoint',
  codes: ['SPEC_ADDRESS_TWICE', 'SPEC_NAME_TWICE'],
  reads: ['each-node'],
  check({ spec, nodePath }) {
    const found: PlacedFinding[] = [];
    const names = new Map<string, string>();
    const owners = new Map<string, string>();
    for (const node of spec.nodes) {
      if (names.has(node.name)) {
        found.push({
          at: nodePath(node, 'name'),
          code: 'SPEC_NAME_TWICE',
          problem: `there is a node ${node.name} already`,
          hint: "the name becomes the node's name in Kubernetes",
        });
      }
      names.set(node.name, node.name);
      if (spec.endpoint.kind === 'domain' && spec.endpoint.domain === node.name) {
        found.push({
          at: nodePath(node, 'name'),
          code: 'SPEC_NAME_TWICE',
          problem: `${node.name} is the name of the endpoint`,
          expected: 'a name of its own',
        });
      }
      for (const address of node.addresses) {
        const owner = owners.get(address.text);
        if (owner === undefined) {
          owners.set(address.text, node.name);
        } else {
          const by = owner === node.name ? 'a node before it' : owner;
          found.push({
            at: nodePath(node, 'address'),
            code: 'SPEC_ADDRESS_TWICE',
            problem: `${address.text} is used by ${by} too`,
          });
        }
      }
    }
    return found;
  },
};
