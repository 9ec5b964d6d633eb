import { everyClient, type Scenario } from './scenario.ts';

/** A balancer's own detection, with the defaults of cluster.yaml: 3 × 2 s + 5 s, and the patience of a last request. */
const balancerMs = 13_000;

/** What waits for the balancer is off for that long and no longer. */
const waits = everyClient({ allGoodAfterMs: balancerMs, outageMs: balancerMs, stuck: 0 });

/** Nobody may notice. */
const unseen = everyClient({ failed: 0, stuck: 0 });

export const scenarios: readonly Scenario[] = [
  {
    name: 'apiserver-killed',
    summary: 'one apiserver ends at once and stays away',
    faults: ['apiserver-killed'],
    target: 'first-master',
    forMs: 15_000,
    budget: waits,
  },
  {
    name: 'apiserver-frozen',
    summary: 'one apiserver hangs: it accepts connections and answers nothing',
    faults: ['apiserver-frozen'],
    target: 'first-master',
    forMs: 20_000,
    budget: waits,
  },
  {
    name: 'apiserver-not-ready',
    summary: 'one apiserver says that it is not ready and serves on, as before a planned stop',
    faults: ['apiserver-not-ready'],
    target: 'first-master',
    forMs: 12_000,
    budget: unseen,
  },
  {
    name: 'apiserver-slow',
    summary: 'one apiserver takes 400 ms more for each answer',
    faults: ['apiserver-slow'],
    target: 'first-master',
    forMs: 12_000,
    budget: unseen,
  },
  {
    name: 'etcd-killed',
    summary: 'one member of etcd ends at once and stays away',
    faults: ['etcd-killed'],
    target: 'first-master',
    forMs: 20_000,
    budget: waits,
  },
  {
    name: 'etcd-frozen',
    summary: 'one member of etcd hangs',
    faults: ['etcd-frozen'],
    target: 'first-master',
    forMs: 20_000,
    budget: waits,
  },
  {
    name: 'kubelet-stopped',
    summary: 'the kubelet of one master is stopped; what it started runs on',
    faults: ['kubelet-stopped'],
    target: 'first-master',
    forMs: 15_000,
    budget: unseen,
  },
  {
    name: 'containerd-restarted',
    summary: 'containerd of one master is restarted',
    faults: ['containerd-restarted'],
    target: 'first-master',
    forMs: 10_000,
    budget: unseen,
  },
  {
    name: 'agent-killed',
    summary: 'the agent of one master is killed and stays away: traffic goes to the balancer again',
    faults: ['agent-killed'],
    target: 'first-master',
    forMs: 10_000,
    budget: unseen,
  },
  {
    name: 'agent-frozen',
    summary: 'the agent of one master hangs: traffic goes to the balancer again',
    faults: ['agent-frozen'],
    target: 'first-master',
    forMs: 10_000,
    budget: unseen,
  },
  {
    name: 'haproxy-killed',
    summary: 'haproxy of one master is killed and stays away',
    faults: ['haproxy-killed'],
    target: 'first-master',
    forMs: 15_000,
    budget: waits,
  },
  {
    name: 'keepalived-killed',
    summary: 'keepalived of one master is killed and stays away',
    faults: ['keepalived-killed'],
    target: 'first-master',
    forMs: 15_000,
    budget: waits,
  },
  {
    name: 'node-off',
    summary: 'one master loses power',
    faults: ['node-off'],
    target: 'last-master',
    forMs: 30_000,
    budget: waits,
  },
  {
    name: 'node-silent',
    summary: 'all packets from and to one master are dropped without a word',
    faults: ['node-silent'],
    target: 'last-master',
    forMs: 20_000,
    budget: waits,
  },
  {
    name: 'balancer-down',
    summary: 'the balancer is down: who depends on it?',
    faults: ['balancer-down'],
    target: 'balancer',
    forMs: 10_000,
    budget: unseen,
  },
  {
    name: 'rules-flushed',
    summary: 'somebody flushes all nftables rules of one master',
    faults: ['rules-flushed'],
    target: 'first-master',
    forMs: 8000,
    budget: everyClient({ outageMs: 1000, stuck: 0 }),
  },
  {
    name: 'conntrack-flushed',
    summary: "somebody flushes one master's connection tracking table",
    faults: ['conntrack-flushed'],
    target: 'first-master',
    forMs: 8000,
    budget: everyClient({ outageMs: 1000, stuck: 0 }),
  },
  {
    name: 'second-fault',
    summary: 'an apiserver hangs, and 8 s later the balancer is down as well',
    faults: ['apiserver-frozen', 'balancer-down'],
    target: 'first-master',
    forMs: 20_000,
    secondAfterMs: 8000,
    budget: unseen,
  },
];
