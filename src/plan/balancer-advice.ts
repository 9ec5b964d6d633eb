import { agentPorts } from '../render/agent/paths.ts';
import type { Spec, StrategyName } from '../spec/spec.ts';
import { controlPlaneNodes } from '../spec/spec.ts';
import { detectionMs } from '../spec/timing.ts';
import { formatDuration } from '../std/duration.ts';
import type { BalancerAdvice } from './plan.ts';

/** client-go pings a silent connection after 30 s and gives up 15 s later; an idle timeout below that cuts watches. */
const idleTimeoutAtLeastMs = 60_000;

/** What the user should set the balancer to. `undefined` when there is none. */
export function balancerAdvice(spec: Spec, strategy: StrategyName): BalancerAdvice | undefined {
  const { balancer } = spec;
  if (balancer === undefined) return undefined;
  const { healthCheck, backendPort } = balancer;
  const isTcp = healthCheck.protocol === 'tcp';
  const detection = detectionMs(healthCheck);
  return {
    listener: { protocol: 'tcp', port: spec.endpoint.port },
    backends: controlPlaneNodes(spec).map((node) => ({ node: node.name, address: node.address, port: backendPort })),
    healthCheck: {
      protocol: healthCheck.protocol,
      port: healthCheck.port ?? backendPort,
      path: isTcp ? undefined : healthCheck.path,
      intervalMs: healthCheck.intervalMs,
      timeoutMs: healthCheck.timeoutMs,
      rise: healthCheck.rise,
      fall: healthCheck.fall,
    },
    detectionMs: detection,
    idleTimeoutAtLeastMs,
    notes: [
      'layer 4 (TCP), not HTTPS: a balancer that ends TLS cannot pass client certificates on',
      ...(isTcp && strategy !== 'keepalived-haproxy'
        ? [
            'a TCP check passes while an apiserver hangs or is not ready yet; HTTPS GET /readyz is better where the product has it',
          ]
        : []),
      ...(strategy === 'steer' && healthCheck.protocol !== 'https' && healthCheck.port !== agentPorts.mirror
        ? [
            `where it cannot check HTTPS (Alibaba CLB and NLB, Tencent): HTTP GET /readyz on port ${agentPorts.mirror} of each master, which also says no while a master is drained; open that port to the balancer's probes`,
          ]
        : []),
      ...(healthCheck.protocol === 'http' && (healthCheck.port ?? backendPort) === spec.apiServerPort
        ? ['an HTTP check never passes on the port of the apiserver, which answers HTTPS only']
        : []),
      ...(isTcp && strategy === 'keepalived-haproxy'
        ? ['a TCP check sees haproxy, and haproxy asks /readyz of the apiservers']
        : []),
      ...(!isTcp && healthCheck.path !== '/readyz'
        ? [`check /readyz instead of ${healthCheck.path}: only that one says whether the apiserver wants traffic`]
        : []),
      ...(detection > 30_000
        ? [
            `outside clients wait up to ${formatDuration(detection)} after a master dies; fall × interval + timeout below 30 s is usual`,
          ]
        : []),
      'switch source address preservation off if the product can (then strategy direct is enough)',
    ],
  };
}
