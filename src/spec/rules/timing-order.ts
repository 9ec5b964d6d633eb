import { formatDuration, parseDuration } from '../../std/duration.ts';
import { atLeast, type Version } from '../../std/version.ts';
import { detectionMs } from '../timing.ts';
import { argument } from './kubeadm-arguments.ts';
import type { PlacedFinding, Rule, RuleContext } from './rule.ts';

/** client-go pings an idle HTTP/2 connection after 30 s and gives up 15 s later (apimachinery, pkg/util/net/http.go). */
const clientGivesUpMs = 45_000;

/**
 * Timeouts that must come in a certain order. Only what the spec says can be judged here: the balancer's check against the limits of Kubernetes, and against arguments in the user's own documents.
 */
export const timingOrder: Rule = {
  name: 'timing-order',
  holds:
    'the balancer ejects a dead master before Kubernetes gives up nodes, and before a master that shuts down stops serving',
  codes: ['SPEC_TIMING_GRACE', 'SPEC_TIMING_SHUTDOWN'],
  reads: ['kubernetes', 'balancer', 'strategy', 'apiServerPort', 'kubeadm'],
  check: (cx) => [...gracePeriod(cx), ...shutdownDelay(cx)],
};

function gracePeriod({ spec, written }: RuleContext): PlacedFinding[] {
  const own = argument(spec.kubeadm.documents, 'controllerManager', 'node-monitor-grace-period');
  const graceMs = parseDuration(own?.value ?? '') ?? defaultGraceMs(spec.kubernetes.version);
  const code = 'SPEC_TIMING_GRACE';
  const found: PlacedFinding[] = [];
  if (own !== undefined && graceMs <= clientGivesUpMs) {
    found.push({
      at: own.at,
      code,
      severity: 'warning',
      problem: `nodes count as lost after ${formatDuration(graceMs)}, and a kubelet notices a silent apiserver after ${formatDuration(clientGivesUpMs)} (30 s idle + 15 s ping)`,
      expected: 'more than 45s',
    });
  }
  if (spec.balancer === undefined) return found;
  const detection = detectionMs(spec.balancer.healthCheck);
  if (detection >= graceMs) {
    const at = written(['spec', 'balancer', 'healthCheck'])
      ? ['spec', 'balancer', 'healthCheck']
      : ['spec', 'balancer', 'product'];
    found.push({
      at,
      code,
      severity: 'warning',
      problem: `the balancer needs up to ${formatDuration(detection)} (${inWords(spec.balancer.healthCheck)}) to eject a dead master, and nodes count as lost after ${formatDuration(graceMs)}`,
      expected: `interval × fall + timeout below ${formatDuration(graceMs)}`,
      hint: 'nodes that still dial the dead master cannot renew their leases',
    });
  }
  return found;
}

/** During `--shutdown-delay-duration` /readyz fails and everything else is served: time for the balancer to notice. */
function shutdownDelay({ spec }: RuleContext): PlacedFinding[] {
  const own = argument(spec.kubeadm.documents, 'apiServer', 'shutdown-delay-duration');
  const delayMs = parseDuration(own?.value ?? '');
  if (own === undefined || delayMs === undefined || spec.balancer === undefined) return [];
  const { healthCheck } = spec.balancer;
  const base = { at: own.at, code: 'SPEC_TIMING_SHUTDOWN', severity: 'warning' } as const;
  if (healthCheck.protocol === 'tcp') {
    const problem = 'a tcp check does not notice that /readyz fails while the apiserver waits to shut down';
    return [{ ...base, problem, expected: 'an http or https check of /readyz, or no delay' }];
  }
  // A failing /readyz answers at once, so the timeout is no part of it.
  const noticed = healthCheck.intervalMs * healthCheck.fall;
  if (noticed < delayMs) return [];
  const problem = `an apiserver that shuts down serves for ${formatDuration(delayMs)} more, and the balancer needs up to ${formatDuration(noticed)} to stop sending clients`;
  return [{ ...base, problem, expected: `more than ${formatDuration(noticed)}` }];
}

/** 40 s until v1.31; 50 s since v1.32 (k/k#121793). */
function defaultGraceMs(version: Version): number {
  return atLeast(version, 1, 32) ? 50_000 : 40_000;
}

function inWords(check: { intervalMs: number; fall: number; timeoutMs: number }): string {
  return `${formatDuration(check.intervalMs)} × ${check.fall} + ${formatDuration(check.timeoutMs)}`;
}
