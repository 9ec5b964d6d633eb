import type { HostCheck } from '../check.ts';
import { artefactsCheck, cacheSpaceCheck, systemCheck } from './artefacts.ts';
import { cgroupCheck, kmsgCheck, oomCheck, rootCheck } from './host.ts';
import { memoryCheck, stateSpaceCheck } from './room.ts';
import { toolChecks } from './tools.ts';

/** In the order in which a person would put things right. What the kernel is tried for comes after these. */
export const hostChecks: readonly HostCheck[] = [
  rootCheck,
  systemCheck,
  cgroupCheck,
  kmsgCheck,
  oomCheck,
  ...toolChecks,
  artefactsCheck,
  stateSpaceCheck,
  cacheSpaceCheck,
  memoryCheck,
];
