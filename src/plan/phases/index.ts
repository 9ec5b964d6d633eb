import type { Phase } from '../context.ts';
import { adopt } from './adopt.ts';
import { cleanUp } from './clean-up.ts';
import { configure } from './configure.ts';
import { credentials } from './credentials.ts';
import { finish } from './finish.ts';
import { init } from './init.ts';
import { joinMasters } from './join-masters.ts';
import { joinWorkers } from './join-workers.ts';
import { network } from './network.ts';
import { prepare } from './prepare.ts';
import { verify } from './verify.ts';

/** In the order of planning. Steps of later phases may run earlier: only chains and `needs` count. */
export const phases: readonly Phase[] = [
  cleanUp,
  prepare,
  adopt,
  configure,
  init,
  network,
  credentials,
  joinMasters,
  joinWorkers,
  finish,
  verify,
];
