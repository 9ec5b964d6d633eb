/** Where things of the agent are on a node. One place, because units, `up`, tests and the agent itself must agree. */
export const agentPaths = {
  /** What units start: a line of sh that runs the version in force with the libraries beside it. */
  program: '/usr/local/bin/hairpin',
  /** One directory a version, named by what it was made from (src/program/identity.ts). */
  versions: '/usr/local/lib/hairpin',
  config: '/etc/hairpin/agent.json',
  /** Delivered by `up` before the first init, when /etc/kubernetes/pki/ca.crt does not exist yet. */
  ca: '/etc/hairpin/ca.crt',
  /** `StateDirectory=`, owned by the prober: membership.json. */
  state: '/var/lib/hairpin-agent',
  /** `RuntimeDirectory=` of the prober: status.sock. */
  runtime: '/run/hairpin-agent',
  statusSocket: '/run/hairpin-agent/status.sock',
  /** Where the prober asks the steerer; made by the steerer, group `hairpin`. */
  steererSocket: '/run/hairpin-steerer/steerer.sock',
  /** Where the steerer asks for resets inside pods' namespaces; a unit of its own, started on demand. */
  podsSocket: '/run/hairpin-pods/pods.sock',
  /** Present while this node is drained: the prober and the mirror of this node read it; survives a reboot. */
  drainFile: '/etc/hairpin/drain',
} as const;

/** Names of units, in the order in which they start. */
export const agentUnits = {
  steerer: 'hairpin-steerer.service',
  agent: 'hairpin-agent.service',
  mirrorSocket: 'hairpin-mirror.socket',
  mirror: 'hairpin-mirror.service',
  podsSocket: 'hairpin-pods.socket',
  pods: 'hairpin-pods.service',
} as const;

/** The system user of the prober; its uid is what the renewing rule matches. */
export const agentUser = 'hairpin';

/**
 * Ports of this node that nobody else has by default. 6443 is the apiserver's; metrics listen on loopback only, the mirror
 * for balancers everywhere.
 */
export const agentPorts = { mirror: 6480, metrics: 6481 } as const;
