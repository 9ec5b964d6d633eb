import type { PlacedFinding, Rule } from './rule.ts';

export const endpointTwice: Rule = {
  name: 'endpoint-twice',
  holds: 'no address of the endpoint is there twice',
  codes: ['SPEC_ADDRESS_TWICE'],
  reads: ['endpoint'],
  check({ spec }) {
    const seen = new Set<string>();
    return spec.endpoint.addresses.flatMap((address, i): PlacedFinding[] => {
      const twice = seen.has(address.text);
      seen.add(address.text);
      if (!twice) return [];
      return [
        {
          at: ['spec', 'endpoint', 'addresses', i],
          code: 'SPEC_ADDRESS_TWICE',
          problem: `${address.text} is there twice`,
        },
      ];
    });
  },
};
