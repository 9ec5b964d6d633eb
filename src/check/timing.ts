/**
 * Timeouts of the balancer, the proxies, the kubelet and client-go against each other (facts/peers.md §4 item 18 and §5).
 * Pure: a spec and the texts that its strategy renders → numbers, and what must be smaller than what.
 */
import { detection, readmission, type Span } from '../balancer/timing.ts';
import { argument } from '../spec/rules/kubeadm-arguments.ts';
import type { Spec } from '../spec/spec.ts';
import { formatDuration, parseDuration } from '../std/duration.ts';
import { atLeast } from '../std/version.ts';

/** How long something takes, with where the numbers come from. `never` where the check cannot notice it at all. */
export interface TimingRow {
  readonly name: string;
  readonly title: string;
  readonly takes: Span | 'never';
  readonly from: string;
}

/** Something that has to be so. */
export interface Inequality {
  readonly name: string;
  readonly title: string;
  readonly holds: boolean;
  /** The numbers put in: `11.0 s < 50.0 s`. */
  readonly numbers: string;
  /** What goes wrong when it does not hold. */
  readonly why: string;
  readonly todo: string;
  readonly source: string;
}

export interface TimingReport {
  readonly cluster: string;
  readonly rows: readonly TimingRow[];
  readonly inequalities: readonly Inequality[];
}

export interface TimingInput {
  readonly spec: Spec;
  /** As the strategy renders it; absent where there is none. */
  readonly haproxy?: string | undefined;
  readonly keepalived?: string | undefined;
  /** The product's, where the spec names one. */
  readonly balancerIdle?: { readonly ms: number; readonly source: string } | undefined;
}

/** client-go: HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS, and their defaults (facts/peers.md §0.5). */
const ping = { idleMs: 30_000, timeoutMs: 15_000 } as const;
const pingSource = 'client-go defaults: ping after 30 s of silence, given up 15 s later (facts/peers.md §0.5)';

/** Lease of a node: renewed every 10 s (nodeLeaseDurationSeconds 40 / 4), by the kubelet. */
const leaseRenewMs = 10_000;

export function adviseTiming(input: TimingInput): TimingReport {
  return { cluster: input.spec.name, rows: rows(input), inequalities: inequalities(input) };
}

function rows({ spec, haproxy, keepalived, balancerIdle }: TimingInput): readonly TimingRow[] {
  const lost = ping.idleMs + ping.timeoutMs;
  const balancer = spec.balancer?.healthCheck;
  const proxy = haproxyNumbers(haproxy);
  const vrrp = keepalivedNumbers(keepalived);
  const from = balancer === undefined ? '' : `${balancer.protocol} check: ${inWords(balancer)}`;
  return [
    ...(balancer === undefined
      ? []
      : [
          {
            name: 'balancer-crash',
            title: 'the balancer ejects a master that refuses',
            takes: detection(balancer, 'refused'),
            from,
          },
          {
            name: 'balancer-silence',
            title: 'the balancer ejects a master that is silent',
            takes: detection(balancer, 'silent'),
            from,
          },
          {
            name: 'balancer-hang',
            title: 'the balancer ejects an apiserver that hangs',
            takes: balancer.protocol === 'tcp' ? ('never' as const) : detection(balancer, 'silent'),
            from: balancer.protocol === 'tcp' ? 'a tcp check is content with an accepted connection' : from,
          },
          { name: 'balancer-back', title: 'the balancer takes it back', takes: readmission(balancer), from },
        ]),
    ...(proxy === undefined
      ? []
      : [
          {
            name: 'haproxy-down',
            title: 'haproxy leaves a master that does not answer',
            takes: detection(proxy, 'silent', 'after-end'),
            from: `as rendered: ${inWords(proxy)}, the interval begins when a check ends`,
          },
        ]),
    ...(vrrp === undefined
      ? []
      : [
          {
            name: 'keepalived-move',
            title: 'keepalived gives the address up when its haproxy has no apiserver',
            takes: detection(vrrp, 'silent'),
            from: `as rendered: ${inWords(vrrp)}`,
          },
        ]),
    ...(spec.strategy.name === 'steer' || spec.strategy.name === 'auto'
      ? [
          {
            name: 'steering-lapses',
            title: 'without its prober a node dials the balancer again',
            takes: { atLeast: 2000, atMost: 3300 },
            from: 'element timeout of 3 s, renewed each second (facts/steering.md, measured 3.3 s)',
          },
        ]
      : []),
    {
      name: 'client-notices',
      title: 'a client gives up a connection that is silent',
      takes: { atLeast: ping.timeoutMs, atMost: lost },
      from: pingSource,
    },
    {
      name: 'node-lost',
      title: 'Kubernetes counts a node as lost without its lease',
      takes: { atLeast: graceOf(spec).ms - leaseRenewMs, atMost: graceOf(spec).ms },
      from: graceOf(spec).source,
    },
    ...(balancerIdle === undefined
      ? []
      : [
          {
            name: 'balancer-idle',
            title: 'the balancer forgets a silent connection',
            takes: { atLeast: balancerIdle.ms, atMost: balancerIdle.ms },
            from: balancerIdle.source,
          },
        ]),
  ];
}

function inequalities({ spec, haproxy, keepalived, balancerIdle }: TimingInput): readonly Inequality[] {
  const grace = graceOf(spec);
  const lost = ping.idleMs + ping.timeoutMs;
  const check = spec.balancer?.healthCheck;
  const proxy = haproxyNumbers(haproxy);
  const vrrp = keepalivedNumbers(keepalived);
  const found: Inequality[] = [
    below({
      name: 'client-before-node-lost',
      title: 'a client gives up a silent connection before its node counts as lost',
      small: lost,
      large: grace.ms,
      why: 'kubelets whose apiserver went silent renew their lease too late, and all their nodes go NotReady at once (k/k#121793)',
      todo: `raise node-monitor-grace-period above ${formatDuration(lost)}, or give kubelets smaller HTTP2_READ_IDLE_TIMEOUT_SECONDS and HTTP2_PING_TIMEOUT_SECONDS`,
      source: `${pingSource}; ${grace.source}`,
    }),
  ];
  if (check !== undefined) {
    const eject = detection(check, 'silent').atMost;
    found.push(
      below({
        name: 'ejection-before-node-lost',
        title: 'the balancer ejects a silent master before nodes count as lost',
        small: eject,
        large: grace.ms,
        why: 'a kubelet that dials again while the dead master is still in gets it again, and its node goes NotReady',
        todo: `make interval × fall + timeout of the balancer's check smaller than ${formatDuration(grace.ms)} (it is ${inWords(check)})`,
        source: `spec.balancer.healthCheck; ${grace.source}`,
      }),
      below({
        name: 'ejection-before-redial',
        title: 'the balancer has ejected a silent master when its clients dial again',
        small: eject,
        large: lost,
        why: 'the first new connection of a client that has just given up may go to the dead master again',
        todo: `make interval × fall + timeout of the balancer's check smaller than ${formatDuration(lost)}`,
        source: `spec.balancer.healthCheck; ${pingSource}`,
      }),
    );
    const own = argument(spec.kubeadm.documents, 'apiServer', 'shutdown-delay-duration');
    const delay = parseDuration(own?.value ?? '');
    if (delay !== undefined) {
      const notice = check.protocol === 'tcp' ? Number.POSITIVE_INFINITY : detection(check, 'refused').atMost;
      found.push(
        below({
          name: 'ejection-before-shutdown',
          title: 'the balancer has ejected an apiserver that shuts down before it stops serving',
          small: notice,
          large: delay,
          why: 'clients are still sent to it when it has gone: every planned restart refuses some',
          todo:
            check.protocol === 'tcp'
              ? 'make the balancer check https GET /readyz: a tcp check does not notice that /readyz fails'
              : `raise shutdown-delay-duration above ${formatDuration(notice)}`,
          source: 'apiServer.extraArgs shutdown-delay-duration; MCO run.go (facts/peers.md §5)',
        }),
      );
    }
  }
  if (balancerIdle !== undefined) {
    found.push(
      below({
        name: 'ping-before-balancer-idle',
        title: 'clients ping before the balancer forgets their connection',
        small: ping.idleMs,
        large: balancerIdle.ms,
        why: 'every quiet watch breaks, in a rhythm, while all is healthy',
        todo: "raise the idle timeout of the balancer's listener to 10 minutes or more",
        source: `${pingSource}; ${balancerIdle.source}`,
      }),
    );
  }
  if (proxy !== undefined) {
    found.push(
      below({
        name: 'ping-before-proxy-idle',
        title: 'clients ping before haproxy cuts a silent connection',
        small: lost,
        large: proxy.idleMs,
        why: 'kubectl logs -f and quiet watches end for no reason (kubeadm#2227)',
        todo: `raise timeout client and timeout server of haproxy above ${formatDuration(lost)}`,
        source: 'haproxy.cfg as rendered; facts/peers.md §5',
      }),
    );
  }
  if (proxy !== undefined && vrrp !== undefined) {
    found.push(
      below({
        name: 'haproxy-before-keepalived',
        title: 'haproxy has tried another apiserver before keepalived moves the address',
        small: proxy.intervalMs * proxy.fall + proxy.timeoutMs,
        large: vrrp.intervalMs * vrrp.fall + vrrp.timeoutMs,
        why: 'the address moves, which ends every connection, though haproxy would have found another master (MCO#3158)',
        todo: "raise fall of keepalived's script above haproxy's",
        source: 'keepalived.conf and haproxy.cfg as rendered; MCO#3158',
      }),
    );
  }
  return found;
}

function below(what: {
  readonly name: string;
  readonly title: string;
  readonly small: number;
  readonly large: number;
  readonly why: string;
  readonly todo: string;
  readonly source: string;
}): Inequality {
  const { small, large, ...rest } = what;
  const holds = small < large;
  const shown = (ms: number) => (Number.isFinite(ms) ? formatDuration(ms) : 'never');
  return { ...rest, holds, numbers: `${shown(small)} ${holds ? '<' : '≥'} ${shown(large)}` };
}

interface Numbers {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly rise: number;
  readonly fall: number;
}

/** The numbers of a haproxy.cfg; the smaller one of the two idle timeouts. */
export function haproxyNumbers(text: string | undefined): (Numbers & { readonly idleMs: number }) | undefined {
  if (text === undefined) return undefined;
  const word = (pattern: RegExp) => pattern.exec(text)?.[1] ?? '';
  const duration = (pattern: RegExp, fallback: number) => parseDuration(word(pattern)) ?? fallback;
  return {
    intervalMs: duration(/\binter\s+(\S+)/, 2000),
    timeoutMs: duration(/^\s*timeout\s+check\s+(\S+)/m, 2000),
    rise: Number(word(/\brise\s+(\d+)/) || 2),
    fall: Number(word(/\bfall\s+(\d+)/) || 3),
    idleMs: Math.min(
      duration(/^\s*timeout\s+client\s+(\S+)/m, Number.POSITIVE_INFINITY),
      duration(/^\s*timeout\s+server\s+(\S+)/m, Number.POSITIVE_INFINITY),
    ),
  };
}

/** The numbers of the script that keepalived follows; `undefined` where it follows none. Seconds there. */
export function keepalivedNumbers(text: string | undefined): Numbers | undefined {
  const script = /vrrp_script [^{]*\{([^}]*)\}/.exec(text ?? '')?.[1];
  if (script === undefined) return undefined;
  const number = (key: string, fallback: number) =>
    Number(new RegExp(`^\\s*${key}\\s+(\\d+)`, 'm').exec(script)?.[1] ?? fallback);
  const intervalMs = number('interval', 1) * 1000;
  return {
    intervalMs,
    timeoutMs: number('timeout', intervalMs / 1000) * 1000,
    rise: number('rise', 1),
    fall: number('fall', 1),
  };
}

/** 40 s until v1.31; 50 s since v1.32 (k/k#121793). */
function graceOf(spec: Spec): { readonly ms: number; readonly source: string } {
  const own = argument(spec.kubeadm.documents, 'controllerManager', 'node-monitor-grace-period');
  const ms = parseDuration(own?.value ?? '');
  if (ms !== undefined) return { ms, source: 'controllerManager.extraArgs node-monitor-grace-period' };
  const { version } = spec.kubernetes;
  return {
    ms: atLeast(version, 1, 32) ? 50_000 : 40_000,
    source: `node-monitor-grace-period of ${version.text} when nobody says (50 s since v1.32, 40 s before)`,
  };
}

function inWords({ intervalMs, fall, timeoutMs }: Numbers): string {
  return `${formatDuration(intervalMs)} × ${fall} + ${formatDuration(timeoutMs)}`;
}
