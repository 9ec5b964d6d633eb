import type { Behaviour, HealthCheck } from '../../balancer/behaviour.ts';
import { detection, pacingOf } from '../../balancer/timing.ts';
import type { ClientClass, VariantName } from './variants.ts';

/** The worst that intervals and thresholds allow; `from` says which. */
export interface Prediction {
  /** From the fault to the end of the last failure. */
  readonly allGoodMs: number | 'until-healed';
  readonly from: string;
}

/** What of a balancer predictions depend on. */
export interface BalancerNumbers {
  readonly behaviour: Behaviour;
  readonly healthCheck: HealthCheck;
}

/** A client gives up after this; the last connection that was sent to the wrong place ends so much later. */
export const patienceMs = 2000;

// render/haproxy/config.ts: inter 1s, fastinter 500ms, fall 2, timeout check 2s; a check that is not answered costs its timeout.
const haproxyRefusedMs = 1000 + 500;
const haproxySilentMs = 1000 + 2000 + 500 + 2000;
// render/keepalived/config.ts: advert_int 1, three missed adverts and the skew of the lowest priority; interval 2, fall 3, timeout 1.
const vrrpMs = 3000 + 300;
const scriptMs = 3 * 2000 + 1000;
// Linux as the router: an entry is believed for 15 to 45 s, then 5 s of delay and 3 questions of 1 s each.
const arpMs = 45_000 + 5000 + 3000;
// agent/prober: PING each 100 ms, suspect at max(50 ms, as TCP reckons); /readyz each second; a worker's agent PINGs
// each second, and when a connection is opened.
const suspectMs = 100 + 200;
const workerAskMs = 1000 + 200;
// render/steer/script.ts: one turn asks for up to 1.4 s and sleeps for 1 s.
const loopMs = 2400;
// The kernel lets an element lapse 3 s after its last renewal, which is up to 1 s old.
const lapseMs = 3000;
const renewMs = 1000;

const ownIsWell = none('its own apiserver is well');
const haproxySilent = after(haproxySilentMs + patienceMs, 'haproxy: 1 s + 2 s + 0.5 s + 2 s, and 2 s of patience');
const workerAsks = after(
  workerAskMs + patienceMs,
  'a worker asks each second and when it connects, and 2 s of patience',
);

type Way =
  | 'balancer'
  | 'hairpin'
  | 'self'
  | 'own-haproxy'
  | 'balancer-haproxy'
  | 'vip'
  | 'arp'
  | 'steer'
  | 'steer-worker'
  | 'loop';

/** Pure. `undefined`: nobody has reckoned it. */
export function predict(
  variant: VariantName,
  balancer: BalancerNumbers | undefined,
  fault: string,
  client: ClientClass,
): Prediction | undefined {
  const way = wayOf(variant, balancer?.behaviour, client);
  const isOwn = client.startsWith('own');
  if (way === 'hairpin' && fault !== 'balancer-down') {
    return healed('1 connection in 3 comes back to its own master and is dropped, broken or not');
  }
  switch (fault) {
    case 'nothing':
    case 'apiserver-not-ready':
    case 'apiserver-slow':
    case 'conntrack-flushed':
      return none('it serves on');
    case 'apiserver-killed':
      return killed(way, balancer, isOwn);
    case 'apiserver-frozen':
      return frozen(way, balancer, isOwn);
    case 'node-silent':
    case 'node-off':
    case 'node-rebooted':
    case 'cable-pulled':
      return silent(way, balancer);
    case 'etcd-killed':
    case 'etcd-frozen':
    case 'apiserver-without-etcd':
    case 'cut-from-peers':
      return etcdGone(way, balancer, isOwn);
    case 'kubelet-stopped':
    case 'containerd-restarted':
      return none('what runs goes on');
    case 'cut-from-balancer':
      if (way === 'balancer' || way === 'hairpin' || way === 'balancer-haproxy') return ejection(balancer, 'silent');
      return none('it does not need the balancer');
    case 'balancer-slow':
      if (way === 'balancer' || way === 'hairpin') return ejection(slower(balancer), 'refused');
      return killed(way, balancer, isOwn);
    case 'balancer-wrong':
      if (way === 'balancer' || way === 'hairpin') return healed('the balancer keeps the dead one');
      return killed(way, balancer, isOwn);
    case 'hosts-edited':
      return client === 'own' ? healed('its own files say where the endpoint is') : none('it does not read that file');
    case 'balancer-down':
      return ['balancer', 'hairpin', 'balancer-haproxy'].includes(way)
        ? healed('it dials the balancer')
        : none('it does not need the balancer');
    case 'second-fault':
      if (['balancer', 'hairpin', 'balancer-haproxy'].includes(way)) return healed('it dials the balancer');
      return frozen(way, balancer, isOwn);
    case 'rules-flushed':
      if ((way === 'steer' || way === 'loop') && isOwn) {
        return balancer?.behaviour === 'drop'
          ? after(renewMs + patienceMs, 'table put back within 1 s; meanwhile as without, and 2 s of patience')
          : none('without the table the balancer answers');
      }
      return none('nothing of it is in nftables');
    case 'agent-killed':
    case 'agent-frozen':
      if ((way === 'steer' || way === 'steer-worker') && isOwn && balancer?.behaviour === 'drop') {
        return healed(`${lapseMs / 1000} s later it is as without an agent: 1 in 3 comes back to its own master`);
      }
      return none('the kernel lets steering lapse, and the balancer answers');
    case 'haproxy-killed':
    case 'haproxy-frozen':
      return proxyGone(way, balancer, isOwn, fault === 'haproxy-killed');
    case 'keepalived-killed':
    case 'keepalived-frozen':
      return none('the address stays where it is');
    default:
      return undefined;
  }
}

/** Where this client's new connections go. */
function wayOf(variant: VariantName, behaviour: Behaviour | undefined, client: ClientClass): Way {
  const isMaster = client.startsWith('own') || client === 'other';
  const toBalancer: Way =
    !isMaster || behaviour === 'works' || behaviour === 'proxy'
      ? 'balancer'
      : behaviour === 'local'
        ? 'self'
        : 'hairpin';
  switch (variant) {
    case 'direct':
    case 'steer-no-agent':
      return toBalancer;
    case 'bind-vip':
      return isMaster ? 'self' : 'balancer';
    case 'hosts':
      return client === 'own' || client === 'other' ? 'self' : toBalancer;
    case 'keepalived-haproxy':
      return isMaster ? 'own-haproxy' : 'balancer-haproxy';
    case 'keepalived-vip':
      return 'vip';
    case 'all-master-vip':
      return isMaster ? 'own-haproxy' : 'arp';
    case 'steer':
      return isMaster ? 'steer' : 'balancer';
    case 'steer-workers':
      return isMaster ? 'steer' : client === 'outside' ? 'balancer' : 'steer-worker';
    case 'steer-static':
      return isMaster ? 'loop' : 'balancer';
  }
}

function killed(way: Way, balancer: BalancerNumbers | undefined, isOwn: boolean): Prediction {
  switch (way) {
    case 'balancer':
    case 'hairpin':
      return ejection(balancer, 'refused');
    case 'self':
      return isOwn ? healed('it knows no other apiserver') : ownIsWell;
    case 'own-haproxy':
    case 'balancer-haproxy':
    case 'vip':
    case 'arp':
      return after(haproxyRefusedMs, 'haproxy tries another one; ejected after 1 s + 0.5 s');
    case 'steer':
    case 'steer-worker':
      return none('a refusal is held until another apiserver takes the connection');
    case 'loop':
      return isOwn
        ? after(loopMs + patienceMs, 'one turn of the loop takes up to 2.4 s, a held connection 1 to 3 s')
        : ownIsWell;
  }
}

function frozen(way: Way, balancer: BalancerNumbers | undefined, isOwn: boolean): Prediction {
  return deaf(way, balancer, isOwn, {
    steer: after(suspectMs + patienceMs, 'suspect after 0.1 s + patience of the prober, and 2 s of patience'),
    worker: workerAsks,
    loop: after(loopMs + patienceMs, 'one turn of the loop, and 2 s of patience'),
  });
}

/** An apiserver that accepts and serves nobody; `steered` is when those that look for themselves are away from it. */
function deaf(
  way: Way,
  balancer: BalancerNumbers | undefined,
  isOwn: boolean,
  steered: Readonly<Record<'steer' | 'worker' | 'loop', Prediction>>,
): Prediction {
  switch (way) {
    case 'balancer':
    case 'hairpin':
      return unlessTcp(balancer);
    case 'self':
      return isOwn ? healed('it knows no other apiserver') : ownIsWell;
    case 'own-haproxy':
    case 'balancer-haproxy':
    case 'vip':
    case 'arp':
      return haproxySilent;
    case 'steer':
    case 'loop':
      return isOwn ? steered[way] : ownIsWell;
    case 'steer-worker':
      return steered.worker;
  }
}

/** The clients on the silent master itself are cut off from everything and not asked. */
function silent(way: Way, balancer: BalancerNumbers | undefined): Prediction {
  switch (way) {
    case 'balancer':
    case 'hairpin':
      return ejection(balancer, 'silent');
    case 'self':
    case 'steer':
    case 'loop':
      return ownIsWell;
    case 'own-haproxy':
      return haproxySilent;
    case 'balancer-haproxy': {
      const own = ejection(balancer, 'silent');
      return own.allGoodMs === 'until-healed' || own.allGoodMs > haproxySilentMs + patienceMs ? own : haproxySilent;
    }
    case 'vip':
      return after(
        vrrpMs + haproxySilentMs + patienceMs,
        'VRRP 3.3 s, then haproxy of the next holder 5.5 s, and 2 s of patience',
      );
    case 'arp':
      return after(
        arpMs + haproxySilentMs + patienceMs,
        'ARP of a Linux router: up to 45 s + 5 s + 3 s (many routers: hours), then haproxy 5.5 s, and 2 s of patience',
      );
    case 'steer-worker':
      return workerAsks;
  }
}

// /readyz asks etcd, and says no when it has no answer within 2 s; agents and proxies ask each second.
const etcdNoticedMs = 1000 + 2000;

/** An apiserver without its etcd: it accepts, and answers with 500 or not at all. */
function etcdGone(way: Way, balancer: BalancerNumbers | undefined, isOwn: boolean): Prediction {
  return deaf(way, balancer, isOwn, {
    steer: after(etcdNoticedMs + patienceMs, '/readyz each second, 2 s until it says no, and 2 s of patience'),
    worker: after(
      workerAskMs + etcdNoticedMs + patienceMs,
      'a worker asks each 5 s, 2 s until it says no, 2 s of patience',
    ),
    loop: after(loopMs + etcdNoticedMs + patienceMs, 'one turn of the loop, 2 s until it says no, 2 s of patience'),
  });
}

/** As the drill slows it: ten times. */
function slower(balancer: BalancerNumbers | undefined): BalancerNumbers | undefined {
  if (balancer === undefined) return undefined;
  const { healthCheck } = balancer;
  return { ...balancer, healthCheck: { ...healthCheck, intervalMs: healthCheck.intervalMs * 10 } };
}

function proxyGone(way: Way, balancer: BalancerNumbers | undefined, isOwn: boolean, isKilled: boolean): Prediction {
  switch (way) {
    case 'own-haproxy':
      return isOwn ? healed('it dials its own haproxy') : none('its own haproxy is well');
    case 'balancer-haproxy':
      if (isKilled) return ejection(balancer, 'refused');
      return unlessTcp(balancer);
    case 'vip':
      return after(
        scriptMs + (isKilled ? 0 : patienceMs),
        `the check script: 3 × 2 s + 1 s${isKilled ? '' : ', and 2 s of patience'}`,
      );
    case 'arp':
      return healed('the address stays on the master whose haproxy is gone');
    case 'balancer':
    case 'hairpin':
    case 'self':
    case 'steer':
    case 'steer-worker':
    case 'loop':
      return none('it has no haproxy');
  }
}

function unlessTcp(balancer: BalancerNumbers | undefined): Prediction {
  return balancer?.healthCheck.protocol === 'tcp'
    ? healed('a TCP check is content with an accepted connection')
    : ejection(balancer, 'silent');
}

function ejection(balancer: BalancerNumbers | undefined, how: 'refused' | 'silent'): Prediction {
  if (balancer === undefined) return healed('there is no balancer');
  const { healthCheck: check, behaviour } = balancer;
  const pacing = pacingOf(behaviour);
  const { atMost } = detection(check, how, pacing);
  const s = (ms: number) => `${ms / 1000} s`;
  const rhythm = `balancer: ${s(check.intervalMs)} × ${check.fall}`;
  if (how === 'refused') return after(atMost, rhythm);
  const timeouts = pacing === 'after-end' ? `${check.fall} × ${s(check.timeoutMs)}` : s(check.timeoutMs);
  return after(atMost + patienceMs, `${rhythm} + ${timeouts}, and 2 s of patience`);
}

function none(from: string): Prediction {
  return { allGoodMs: 0, from };
}

function after(allGoodMs: number, from: string): Prediction {
  return { allGoodMs, from };
}

function healed(from: string): Prediction {
  return { allGoodMs: 'until-healed', from };
}
