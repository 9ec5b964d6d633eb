/** The strategies that are compared, under names of their own where the spec has one word for two things. */
export interface Variant {
  readonly name: VariantName;
  readonly title: string;
  /** Faults of its own programs. */
  readonly ownFaults: readonly string[];
  /** It holds the endpoint itself, there is no balancer. */
  readonly balancer: boolean;
  /** Waits for so long after a fault until all is as before: agents trust an apiserver after two good answers, 8 s apart on workers. */
  readonly settleMs: number;
}

export type VariantName =
  | 'direct'
  | 'bind-vip'
  | 'hosts'
  | 'keepalived-haproxy'
  | 'keepalived-vip'
  | 'all-master-vip'
  | 'steer'
  | 'steer-workers'
  | 'steer-static'
  | 'steer-no-agent';

const agent = ['agent-killed', 'agent-frozen'];
const proxies = ['haproxy-killed', 'haproxy-frozen', 'keepalived-killed', 'keepalived-frozen'];

export const variants: readonly Variant[] = [
  {
    name: 'direct',
    title: 'everybody dials the balancer',
    ownFaults: [],
    balancer: true,
    settleMs: 1000,
  },
  {
    name: 'bind-vip',
    title: "the endpoint's address on every master (the article's second way)",
    ownFaults: [],
    balancer: true,
    settleMs: 1000,
  },
  {
    name: 'hosts',
    title: "the endpoint's name in /etc/hosts of every master (the article's third way)",
    ownFaults: [],
    balancer: true,
    settleMs: 1000,
  },
  {
    name: 'keepalived-haproxy',
    title: "all-master keepalived and haproxy on every master, behind the balancer (the article's first way)",
    ownFaults: proxies,
    balancer: true,
    settleMs: 4000,
  },
  {
    name: 'keepalived-vip',
    title: 'no balancer: one master holds the address by VRRP, haproxy spreads from there',
    ownFaults: proxies,
    balancer: false,
    settleMs: 8000,
  },
  {
    name: 'all-master-vip',
    title: 'no balancer, and every master holds the address: what the article warns of',
    ownFaults: proxies,
    balancer: false,
    settleMs: 4000,
  },
  { name: 'steer', title: 'steer with its agent on the masters', ownFaults: agent, balancer: true, settleMs: 6000 },
  {
    name: 'steer-workers',
    title: 'steer with its agent on workers, too',
    ownFaults: agent,
    balancer: true,
    settleMs: 20_000,
  },
  {
    name: 'steer-static',
    title: 'steer by its loop in sh, without the agent',
    ownFaults: [],
    balancer: true,
    settleMs: 4000,
  },
  {
    name: 'steer-no-agent',
    title: 'steer after its agents were killed on all masters: what is left is the balancer',
    ownFaults: [],
    balancer: true,
    settleMs: 1000,
  },
];

/** Who dials: `own` is the master that is broken, `other` another one; a stale pod has /etc/hosts from before. */
export const clientClasses = ['own', 'own-pod', 'own-stale-pod', 'other', 'worker', 'worker-pod', 'outside'] as const;
export type ClientClass = (typeof clientClasses)[number];

export const classTitles: Readonly<Record<ClientClass, string>> = {
  own: 'the broken master',
  'own-pod': 'a pod on it',
  'own-stale-pod': 'a hostNetwork or static pod on it that has the old /etc/hosts',
  other: 'another master',
  worker: 'a worker',
  'worker-pod': 'a pod on a worker',
  outside: 'an outside client',
};
