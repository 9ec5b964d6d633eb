import { type BalancerConfig, behaviours } from '../../balancer/behaviour.ts';
import { products } from '../../balancer/products/index.ts';
import { toBalancerConfig } from '../../balancer/products/product.ts';
import type { BalancerCatalog, CatalogEntry } from './input.ts';

/** What a behaviour gets that is asked for by itself: the article's product, without its probe network. */
const plain: Omit<BalancerConfig, 'behaviour'> = {
  terminateTls: false,
  scheduling: 'round-robin',
  healthCheck: { protocol: 'tcp', path: '/readyz', intervalMs: 2_000, timeoutMs: 5_000, rise: 3, fall: 3 },
  probeSource: 'balancer',
  ejectedFlows: 'keep',
  drainMs: 0,
  allDown: 'refuse',
  idleMs: 900_000,
};

/** Everything that `--balancer` may name: products first, then behaviours. */
export function balancerCatalog(): BalancerCatalog {
  const presets = products.map((product): [string, CatalogEntry] => [
    product.name,
    {
      kind: 'preset',
      network: product.network,
      frontEnd: product.frontEnd.value,
      config: toBalancerConfig(product),
    },
  ]);
  const plainOnes = behaviours.map((behaviour): [string, CatalogEntry] => [
    behaviour,
    {
      kind: 'behaviour',
      network: behaviour === 'one-arm' ? 'segment' : 'routed',
      frontEnd: 'address',
      config: { ...plain, behaviour },
    },
  ]);
  // `haproxy` is the name of a product only; a behaviour with a product's name would hide it.
  return new Map([...plainOnes, ...presets]);
}
