import { address } from '../../std/address.ts';
import { assumed, documented, type Product } from './product.ts';

const loopback = 'tencentcloud.com/zh/document/product/457/42976';
const checks = 'tencentcloud.com/zh/document/product/214/54819';
const probes = 'tencentcloud.com/zh/document/product/214/44863';

export const tencentClb: Product = {
  name: 'tencent-clb',
  title: 'Tencent Cloud CLB, layer 4',
  frontEnd: documented('address', `${loopback}; newer public ones have a domain`),
  behaviour: documented('drop', `${loopback}: source and destination are in the same node`),
  network: 'routed',
  terminateTls: false,
  scheduling: assumed('round-robin', 'weighted round robin, from memory'),
  check: {
    protocol: documented('tcp', `${checks}: TCP, HTTP or custom on a TCP listener, no HTTPS`),
    path: '/readyz',
    intervalMs: documented(5_000, checks),
    timeoutMs: documented(2_000, checks),
    rise: documented(3, checks),
    fall: documented(3, checks),
  },
  probeSource: documented(
    address('100.64.0.10'),
    `${probes}: 100.64.0.0/10 is the default of accounts since 2023-02-24; older ones probe from the VIP`,
  ),
  ejectedFlows: assumed('keep', 'no statement found'),
  drainMs: assumed(0, 'no statement found'),
  allDown: documented('all', `${checks}: all unhealthy → sent to all`),
  idleMs: assumed(900_000, 'from memory'),
};
