import { type BalancerConfig, behaviours } from '../../balancer/behaviour.ts';
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
  return new Map(entries);
}
