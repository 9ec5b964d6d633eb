import { address } from '../../std/address.ts';
import { assumed, documented, type Product } from './product.ts';

const policy = 'GCP API `connectionTrackingPolicy`';
const quoted = 'rancher/rke2#1760, which quotes the GCP documentation';

export const gcpInternal: Product = {
  name: 'gcp-internal',
  title: 'Google Cloud internal passthrough Network Load Balancer',
  frontEnd: documented('address', quoted),
  behaviour: documented('local', `GoogleCloudPlatform/guest-agent google_guest_agent/addresses.go:151-177; ${quoted}`),
  network: 'routed',
  terminateTls: false,
  scheduling: assumed(
    'round-robin',
    'a hash over five fields, which spreads connections; in turn is the nearest that repeats',
  ),
  check: {
    protocol: documented(
      'https',
      'Cluster API for GCP (CAPG) checks HTTPS /readyz; the product offers HTTP, HTTPS, TCP, …',
    ),
    path: '/readyz',
    intervalMs: documented(5_000, 'facts/load-balancers.md §2, product default'),
    timeoutMs: documented(5_000, 'facts/load-balancers.md §2, product default'),
    rise: documented(2, 'facts/load-balancers.md §2, product default'),
    fall: documented(2, 'facts/load-balancers.md §2, product default'),
  },
  probeSource: documented(address('35.191.0.10'), 'MCO PR #6555: 35.191.0.0/16 and 130.211.0.0/22'),
  ejectedFlows: documented('keep', `${policy}: TCP persists on unhealthy backends by default`),
  drainMs: assumed(0, 'nothing is drained where flows are kept'),
  allDown: assumed('all', 'as a last resort to all, from memory'),
  idleMs: documented(600_000, `${policy}: idle 600 s`),
};
