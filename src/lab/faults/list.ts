import type { Tier } from '../tier/tier.ts';
import { balancerDownFault } from './balancer-down.ts';
import type { LabFault } from './fault.ts';
import { freezeFault } from './freeze.ts';
import { linkDownFault } from './link-down.ts';
import { silentFault } from './silent.ts';
import { slowLinkFault } from './slow-link.ts';
import { stopFault } from './stop.ts';

/** Faults of every lab; a tier adds its own (power-off, reboot, disk full). */
export const commonFaults: readonly LabFault[] = [
  silentFault,
  linkDownFault,
  slowLinkFault,
  freezeFault,
  stopFault,
  balancerDownFault,
];

export function faultsOf(tier: Tier): readonly LabFault[] {
  return [...commonFaults, ...tier.faults];
}
