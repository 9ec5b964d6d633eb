import { assumed, documented, type Product } from './product.ts';

const faq = 'support.huaweicloud.com/eu/elb_faq/elb_faq_21020218.html';

/** With `Transfer Client IP Address` on, the default, which some regions cannot turn off. */
export const huaweiElb: Product = {
  name: 'huawei-elb',
  title: 'Huawei Cloud ELB, layer 4, client address transferred',
  frontEnd: documented('address', faq),
  behaviour: documented('drop', `${faq}: the backend treats the packet as sent by itself`),
  network: 'routed',
  terminateTls: false,
  scheduling: assumed('round-robin', 'weighted round robin, from memory'),
  check: {
    protocol: documented(
      'tcp',
      'support.huaweicloud.com/eu/tr-central-201-usermanual-elb/elb_ug_jt_0514.html: TCP, HTTP(S), …',
    ),
    path: '/readyz',
    intervalMs: assumed(5_000, 'values not verified'),
    timeoutMs: assumed(3_000, 'values not verified'),
    rise: assumed(3, 'values not verified'),
    fall: assumed(3, 'values not verified'),
  },
  probeSource: documented('balancer', "from the ELB's backend subnet (dedicated): elb_ug_jt_0514.html"),
  ejectedFlows: assumed('keep', 'no statement found'),
  drainMs: assumed(0, 'no statement found'),
  allDown: assumed('refuse', 'no statement found'),
  idleMs: assumed(300_000, 'from memory'),
};
