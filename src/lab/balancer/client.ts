import { askControl } from '../control/client.ts';
import type { LabContext } from '../tier/tier.ts';
import type { BalancerRequest, BalancerStatus } from './status.ts';

type Socket = Pick<LabContext['paths'], 'balancerSocket'>;

/** What the lab's balancer says about itself: backends, health, counters, flows. */
export async function readBalancerStatus(paths: Socket, opts: { signal?: AbortSignal } = {}): Promise<BalancerStatus> {
  return (await askControl(paths.balancerSocket, { op: 'status' } satisfies BalancerRequest, opts)) as BalancerStatus;
}

/** Has the lab's balancer change something; resolves when new connections see it. */
export async function changeBalancer(
  paths: Socket,
  request: Exclude<BalancerRequest, { op: 'status' | 'ping' }>,
  opts: { signal?: AbortSignal } = {},
): Promise<void> {
  await askControl(paths.balancerSocket, request, opts);
}
