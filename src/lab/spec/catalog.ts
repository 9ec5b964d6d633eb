import { type BalancerConfig, behaviours } from '../../balancer/behaviour.ts';
import { products } from '../../balancer/products/index.ts';
import { toBalancerConfig } from '../../balancer/products/product.ts';
import type { BalancerCatalog, CatalogEntry } from './input.ts';

const plain: Omit<BalancerConfig, 'behaviour'> = {
  terminateTls: false,
  scheduling: 'round-robin',
  healthCheck: { protocol: 'tcp', path: '/readyz', intervalMs: 2_000, timeoutMs: 5_000, rise: 3, fall: 3 },
  probeSource: 'balancer',
  ejectedFlows: 'keep',
  drainMs: 0,
  allDown: 'refuse',
};

/** Everything that `--balancer` may name. */
export function balancerCatalog(): BalancerCatalog {
  const entries: [string, CatalogEntry][] = behaviours.map((behaviour) => [
    behaviour,
    {
      kind: 'behaviour',
      behaviour,
      network: behaviour === 'one-arm' ? 'segment' : 'routed',
      config: () => ({ ...plain, behaviour }),
    },
  ]);
  const presets = products.map((product): [string, CatalogEntry] => [
    product.name,
    {
      kind: 'preset',
      behaviour: product.behaviour.value,
      network: product.network,
      config: () => toBalancerConfig(product),
    },
  ]);
  return new Map([...presets, ...entries]);
}
