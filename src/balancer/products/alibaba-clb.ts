import { address } from '../../std/address.ts';
import { assumed, documented, type Product } from './product.ts';

const healthCheck = 'help.aliyun.com/en/slb/classic-load-balancer/user-guide/health-check-overview/';
const listener = 'aliyun/terraform-provider-alicloud website/docs/r/slb_listener';
const features = 'help.aliyun.com/en/slb/network-load-balancer/product-overview/functions-and-features';

export const alibabaClb: Product = {
  name: 'alibaba-clb',
  title: 'Alibaba Cloud CLB (SLB), layer 4',
  frontEnd: documented('address', listener),
  behaviour: documented('drop', 'yq.aliyun.com/articles/80055; kubernetes/kubeadm#2996; MCO PR #2919'),
  network: 'routed',
  terminateTls: false,
  scheduling: assumed('round-robin', 'weighted round robin is the default of a listener, from memory'),
  check: {
    protocol: documented('tcp', `${healthCheck}: TCP or plain HTTP on a TCP listener, no HTTPS`),
    path: '/readyz',
    intervalMs: documented(2_000, healthCheck),
    timeoutMs: documented(5_000, healthCheck),
    rise: assumed(3, 'thresholds of 3, from memory'),
    fall: assumed(3, 'thresholds of 3, from memory'),
  },
  probeSource: documented(address('100.64.0.10'), `${healthCheck}: from 100.64.0.0/10`),
  ejectedFlows: assumed('keep', `${features} says that there is no connection draining, not what happens instead`),
  drainMs: documented(0, features),
  allDown: assumed('refuse', 'no statement found'),
  idleMs: documented(900_000, `${listener}: EstablishedTimeout 10–900 s, default 900 s`),
};
