import { type Address, unreachableKind } from '../../std/address.ts';
import type { YamlPath } from '../yaml-source.ts';
import type { PlacedFinding, Rule } from './rule.ts';

/** Loopback, multicast and the like are addresses too, but nobody else can dial them. */
export const usableAddresses: Rule = {
  name: 'usable-addresses',
  holds: 'addresses of nodes are ones that other machines can dial',
  codes: ['SPEC_ADDRESS_UNUSABLE'],
  reads: ['each-node'],
  check: ({ spec, nodePath }) =>
    spec.nodes.flatMap((node) => node.addresses.flatMap((address) => unusable(address, nodePath(node, 'address')))),
};

/** The same for what clients dial. */
export const usableEndpoint: Rule = {
  name: 'usable-endpoint',
  holds: 'the endpoint is an address that other machines can dial',
  codes: ['SPEC_ADDRESS_UNUSABLE'],
  reads: ['endpoint'],
  check: ({ spec }) =>
    spec.endpoint.addresses.flatMap((address, i) =>
      unusable(
        address,
        spec.endpoint.kind === 'address' ? ['spec', 'endpoint', 'address'] : ['spec', 'endpoint', 'addresses', i],
      ),
    ),
};

function unusable(address: Address, at: YamlPath): PlacedFinding[] {
  const kind = unreachableKind(address);
  if (kind === undefined) return [];
  return [
    {
      at,
      code: 'SPEC_ADDRESS_UNUSABLE',
      problem: `${address.text} is ${kind}`,
      expected: 'an address that other machines can dial',
    },
  ];
}
