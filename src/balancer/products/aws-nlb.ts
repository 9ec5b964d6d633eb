import { assumed, documented, type Product } from './product.ts';

const guide = 'awsdocs/elb-network-load-balancers-user-guide @b5d87736';
const checks = `${guide} target-group-health-checks.md`;
const groups = `${guide} load-balancer-target-groups.md`;

/** Client-address preservation off: what `ip` targets have by default. */
export const awsNlb: Product = {
  name: 'aws-nlb',
  title: 'AWS Network Load Balancer, client address not preserved',
  frontEnd: documented('domain', `${guide}: a DNS name with one static address per zone`),
  behaviour: documented(
    'works',
    `${groups}; docs edit-target-group-attributes.html: the source is the balancer's private address`,
  ),
  network: 'routed',
  terminateTls: false,
  scheduling: assumed('round-robin', 'a flow hash, which spreads connections; in turn is the nearest that repeats'),
  check: {
    protocol: documented('tcp', `${checks}: TCP, HTTP or HTTPS`),
    path: '/readyz',
    intervalMs: documented(30_000, checks),
    timeoutMs: documented(10_000, `${checks}: 10 s, 6 s for HTTP`),
    rise: documented(5, checks),
    fall: documented(2, checks),
  },
  probeSource: assumed('balancer', "probes come from the balancer's private addresses, from memory"),
  ejectedFlows: documented('reset', `${groups}: RST when the target turns unhealthy, unless it fails open`),
  drainMs: documented(300_000, `${groups}: deregistration delay 300 s`),
  allDown: documented('all', `${checks}: fail-open`),
  idleMs: documented(
    350_000,
    'docs.aws.amazon.com/elasticloadbalancing/latest/network/update-idle-timeout.html: 350 s, 60–6000',
  ),
};

/** Client-address preservation on: the default of `instance` targets. */
export const awsNlbPreserve: Product = {
  ...awsNlb,
  name: 'aws-nlb-preserve',
  title: 'AWS Network Load Balancer, client address preserved',
  behaviour: documented('drop', `${guide} load-balancer-troubleshooting.md#loopback-timeout`),
};
