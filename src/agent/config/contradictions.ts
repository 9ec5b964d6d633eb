import type { AgentConfig } from './config.ts';

export interface Contradiction {
  readonly path: readonly (string | number)[];
  readonly problem: string;
  readonly expected?: string;
}

/** What no single field shows. */
export function contradictions(config: AgentConfig): readonly Contradiction[] {
  const found: Contradiction[] = [];
  const owners = new Map<string, string>();
  const names = new Set<string>();
  for (const [index, master] of config.masters.entries()) {
    if (names.has(master.name))
      found.push({ path: ['masters', index, 'name'], problem: `${master.name} is there twice` });
    names.add(master.name);
    for (const [place, address] of master.addresses.entries()) {
      const owner = owners.get(address);
      if (owner !== undefined) {
        const problem = `${address} is used by ${owner} too`;
        found.push({ path: ['masters', index, 'addresses', place], problem });
      }
      owners.set(address, master.name);
    }
  }
  for (const address of config.node.addresses) owners.set(address, owners.get(address) ?? config.node.name);
  for (const [index, address] of config.endpoint.addresses.entries()) {
    const owner = owners.get(address);
    if (owner === undefined) continue;
    const problem = `${address} is the address of node ${owner}`;
    found.push({ path: ['endpoint', 'addresses', index], problem, expected: "the balancer's address" });
  }
  return found;
}
