import type { LabFault } from './fault.ts';
import { holdDownInside } from './hold-down.ts';

/**
 * The process ends at once (SIGKILL) and stays away until it is healed. Its connections end, new ones are refused: what
 * a crash looks like, without the restart that would hide it.
 */
export const stopFault: LabFault = {
  name: 'stop',
  summary: 'a process is killed and does not come back until it is healed',
  target: 'process',

  async inject(cx) {
    const process = cx.process ?? '';
    return cx.tier.holdDown === undefined
      ? await holdDownInside.down(cx, process)
      : await cx.tier.holdDown.down(cx.lab, cx.target, process);
  },

  async heal(cx, undo) {
    const process = cx.process ?? '';
    if (cx.tier.holdDown === undefined) await holdDownInside.up(cx, process);
    else await cx.tier.holdDown.up(cx.lab, cx.target, process, undo);
  },
};
