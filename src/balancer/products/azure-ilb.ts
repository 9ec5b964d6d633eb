import { address } from '../../std/address.ts';
import { assumed, documented, type Product } from './product.ts';

const probes = 'MicrosoftDocs/azure-docs articles/load-balancer/load-balancer-custom-probe-overview.md';
const reset = 'MicrosoftDocs/azure-docs articles/load-balancer/load-balancer-tcp-reset.md';

export const azureIlb: Product = {
  name: 'azure-ilb',
  title: 'Azure internal load balancer (Standard)',
  frontEnd: documented('address', probes),
  behaviour: documented(
    'drop',
    'MicrosoftDocs/azure-docs articles/load-balancer/load-balancer-troubleshoot-backend-traffic.md; microsoft/Azure-ILB-hairpin',
  ),
  network: 'routed',
  terminateTls: false,
  scheduling: assumed(
    'round-robin',
    'a hash over five fields, which spreads connections; in turn is the nearest that repeats',
  ),
  check: {
    protocol: documented(
      'https',
      'Cluster API for Azure (CAPZ) checks HTTPS /readyz; the product offers TCP, HTTP and HTTPS (200 only)',
    ),
    path: '/readyz',
    intervalMs: documented(5_000, `${probes}: 5 s (the API's default is 15 s)`),
    timeoutMs: assumed(5_000, 'no number found; taken as the interval'),
    rise: assumed(1, 'a passed probe puts the instance back, from memory'),
    fall: assumed(2, 'from memory'),
  },
  probeSource: documented(address('168.63.129.16'), probes),
  ejectedFlows: documented('keep', `${probes}: established flows survive probe-down (Standard)`),
  drainMs: assumed(0, 'nothing is drained where flows are kept'),
  allDown: assumed('refuse', 'no statement found'),
  idleMs: documented(240_000, `${reset}: 4 min (4–30), silent unless TCP reset is on`),
};
