import { corednsReady as question } from '../ask/holds.ts';
import { askAnyMaster, type Check } from '../check.ts';

export const corednsReady: Check = {
  name: 'coredns-ready',
  title: 'CoreDNS is ready',
  ask: (cx) => askAnyMaster(cx, (master) => question(cx.spec, master)),
};
