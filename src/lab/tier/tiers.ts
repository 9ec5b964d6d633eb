import type { Tier as TierName } from '../spec/lab-spec.ts';
import type { Tier } from './tier.ts';
import { wireTier } from './wire.ts';

/** The tiers by name, loaded when they are wanted. */
export async function tierOf(name: TierName): Promise<Tier> {
  switch (name) {
    case 'wire':
      return wireTier;
    case 'node':
      return (await import('../nspawn/node-tier.ts')).nodeTier;
  }
}
