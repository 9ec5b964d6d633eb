import { changeBalancer } from '../balancer/client.ts';
import type { LabFault } from './fault.ts';

/** The balancer is silent: new and established connections through it get no answer, and its health checks stop. */
export const balancerDownFault: LabFault = {
  name: 'balancer-down',
  summary: 'the balancer drops everything, established connections too',
  target: 'balancer',

  async inject(cx) {
    await changeBalancer(cx.lab.paths, { op: 'power', to: 'off' }, { signal: cx.lab.signal });
    return {};
  },

  async heal(cx) {
    await changeBalancer(cx.lab.paths, { op: 'power', to: 'on' }, { signal: cx.lab.signal });
  },
};
