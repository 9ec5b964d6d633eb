import { assumed, documented, type Product } from './product.ts';

const manual = 'haproxy doc/configuration.txt lines 18774-19440';
const samples = 'OpenShift on-prem templates/master/00-master/on-prem/files: httpchk /readyz';

export const haproxy: Product = {
  name: 'haproxy',
  title: 'HAProxy on machines of its own, TCP',
  frontEnd: documented('address', manual),
  behaviour: documented('proxy', `${manual}: connects from its own address`),
  network: 'routed',
  terminateTls: false,
  scheduling: assumed('round-robin', 'the default algorithm, from memory'),
  check: {
    protocol: documented('https', samples),
    path: '/readyz',
    intervalMs: documented(2_000, manual),
    timeoutMs: assumed(2_000, 'without `timeout check` a check may take as long as the interval'),
    rise: documented(2, manual),
    fall: documented(3, manual),
  },
  probeSource: documented('balancer', `${manual}: as any connection to the server`),
  ejectedFlows: documented('keep', `${manual}: on-marked-down shutdown-sessions is off by default`),
  drainMs: assumed(0, 'nothing is drained where flows are kept'),
  allDown: documented('refuse', `${manual}: no server is available`),
  idleMs: assumed(
    35_000,
    "set by its owner; kubeadm's own sample has 35 s (kubernetes/kubeadm docs/ha-considerations.md)",
  ),
};
