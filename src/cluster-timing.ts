import { findProduct } from './balancer/products/index.ts';
import { adviseTiming, type TimingReport } from './check/timing.ts';
import { loadSpec } from './cluster-file.ts';
import { renderHaproxy } from './render/haproxy/config.ts';
import { renderOneHolder } from './render/keepalived/config.ts';
import type { Emit } from './report/event.ts';
import { controlPlaneNodes, type Spec } from './spec/spec.ts';

/** Reads the spec and sets its timeouts against each other. No node is asked. */
export async function checkTiming(file: string, emit: Emit): Promise<TimingReport> {
  return timingOf(await loadSpec(file, emit));
}

/** The same of a spec that was read. */
export function timingOf(spec: Spec): TimingReport {
  const idle = findProduct(spec.balancer?.product ?? '')?.idleMs;
  const source = idle === undefined ? undefined : (idle.source ?? `assumed: ${idle.assumed}`);
  return adviseTiming({
    spec,
    ...proxyTexts(spec),
    ...(idle === undefined || source === undefined ? {} : { balancerIdle: { ms: idle.value, source } }),
  });
}

/** Numbers are the same on every master: the first one's texts will do, its interface plays no part. */
function proxyTexts(spec: Spec): { readonly haproxy?: string; readonly keepalived?: string } {
  const masters = controlPlaneNodes(spec);
  const [node] = masters;
  const [vip] = spec.endpoint.addresses;
  const { strategy, apiServerPort } = spec;
  if (node === undefined || vip === undefined) return {};
  if (strategy.name !== 'keepalived-haproxy' && strategy.name !== 'keepalived-vip') return {};
  const haproxy = renderHaproxy({ node, masters, vip, port: strategy.port, apiServerPort });
  if (strategy.name === 'keepalived-haproxy') return { haproxy };
  const { routerId } = strategy;
  return { haproxy, keepalived: renderOneHolder({ node, index: 0, masters, device: 'eth0', vip, routerId }) };
}
