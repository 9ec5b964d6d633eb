import type { WantedFile } from '../../strategy/strategy.ts';
import { unitPath, writtenBy } from '../systemd/unit.ts';
import { agentPaths, agentPorts, agentUnits, agentUser } from './paths.ts';

const command = (verb: string) => `ExecStart=${agentPaths.program} agent ${verb} --config ${agentPaths.config}`;

/** What no process of the agent needs. Executable memory cannot be denied: V8 compiles. */
const sandbox: readonly string[] = [
  'NoNewPrivileges=yes',
  'ProtectSystem=strict',
  'ProtectHome=yes',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'ProtectClock=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'LockPersonality=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
  'SystemCallErrorNumber=EPERM',
  'UMask=0077',
];

/** For those that need no privilege at all. */
const unprivileged: readonly string[] = [
  `User=${agentUser}`,
  `Group=${agentUser}`,
  'CapabilityBoundingSet=',
  'AmbientCapabilities=',
  'ProtectKernelTunables=yes',
  'ProtectProc=invisible',
  'RestrictNamespaces=yes',
  'SystemCallFilter=@system-service',
  'SystemCallFilter=~@privileged',
];

interface AgentUnit {
  readonly unit: string;
  readonly because: string;
  readonly content: string;
}

function service(opts: {
  readonly description: string;
  readonly unit?: readonly string[];
  readonly service: readonly string[];
  readonly install?: string;
}): string {
  return [
    `# ${writtenBy}`,
    '[Unit]',
    `Description=${opts.description}`,
    ...(opts.unit ?? []),
    '',
    '[Service]',
    ...opts.service,
    ...(opts.install === undefined ? [] : ['', '[Install]', `WantedBy=${opts.install}`]),
    '',
  ].join('\n');
}

/**
 * Never given up: a node whose agent has stopped for good is a node without steering. And soon: the kernel lets go 3 s after
 * the last renewal, which may be 0.8 s old, and a start needs 0.5 to 1.5 s of that.
 */
const again = ['Restart=always', 'RestartSec=200ms'];
const withoutLimit = 'StartLimitIntervalSec=0';

/**
 * Less memory: one arena of malloc for all threads, few of which are needed, what is free goes back to the kernel, a small nursery, and no machine code made at run
 * time, so that neither compilers nor their output are in memory. `gc` is for src/program/trim.ts. What each process needs
 * with and without is in docs/bench/agent.md. `threads`: a file system that hangs holds one of them.
 */
const small = (threads: number) =>
  [
    'Environment=MALLOC_ARENA_MAX=1 MALLOC_TRIM_THRESHOLD_=32768 MALLOC_TOP_PAD_=8192',
    `UV_THREADPOOL_SIZE=${threads}`,
    '"NODE_OPTIONS=--max-semi-space-size=1 --jitless --expose-gc --v8-pool-size=1"',
  ].join(' ');

/** On a node whose cores are taken, what decides about everybody's connections goes first; both need next to no time. */
const first = 'Nice=-10';

/** Makes transitions of the table and destroys flows of dead backends; asked by the prober, believes nothing. */
const steerer: AgentUnit = {
  unit: agentUnits.steerer,
  because: 'the only process that may change the steering table',
  content: service({
    description: 'hairpin: changes the steering table when the agent asks for it',
    unit: [
      'Wants=network-online.target',
      // It asks the pods unit whether refusals can be held on this kernel, once, when it starts.
      `Wants=${agentUnits.podsSocket}`,
      `After=network-online.target ${agentUnits.podsSocket}`,
      `Before=${agentUnits.agent} kubelet.service`,
      withoutLimit,
    ],
    service: [
      'Type=simple',
      command('steerer'),
      small(1),
      first,
      'ExecReload=/bin/kill -HUP $MAINPID',
      ...again,
      'OOMScoreAdjust=-900',
      // root owns the node's client certificate; of root's powers one is left.
      'User=root',
      `Group=${agentUser}`,
      'CapabilityBoundingSet=CAP_NET_ADMIN',
      `RuntimeDirectory=${agentPaths.steererSocket.split('/').at(-2)}`,
      'RuntimeDirectoryMode=0750',
      'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6',
      'RestrictNamespaces=yes',
      'ProtectProc=invisible',
      'SystemCallFilter=@system-service',
      'SystemCallFilter=~@mount @swap @reboot @raw-io @module @obsolete @debug @cpu-emulation @clock',
      ...sandbox,
    ],
    install: 'multi-user.target',
  }),
};

/** Decides. Before the kubelet, ready as soon as the table exists: a cold start never waits for an apiserver. */
const agent: AgentUnit = {
  unit: agentUnits.agent,
  because: 'keeps steering alive; without it the kernel lets go after 3 s',
  content: service({
    description: 'hairpin: steers connections to the endpoint to ready apiservers',
    unit: [
      'Wants=network-online.target',
      `After=network-online.target ${agentUnits.steerer}`,
      // Wants and not Requires: a steerer that is restarted must not take the agent with it.
      `Wants=${agentUnits.steerer} ${agentUnits.podsSocket}`,
      'Before=kubelet.service',
      withoutLimit,
    ],
    service: [
      'Type=notify',
      'NotifyAccess=all',
      // Each sign of life is a short process (src/agent/prober/notify.ts).
      'WatchdogSec=30',
      'TimeoutStartSec=20',
      command('run'),
      small(2),
      first,
      'ExecReload=/bin/kill -HUP $MAINPID',
      ...again,
      'OOMScoreAdjust=-900',
      `StateDirectory=${agentPaths.state.split('/').at(-1)}`,
      'StateDirectoryMode=0750',
      `RuntimeDirectory=${agentPaths.runtime.split('/').at(-1)}`,
      'RuntimeDirectoryMode=0755',
      'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6',
      ...unprivileged,
      ...sandbox,
    ],
    install: 'multi-user.target',
  }),
};

const mirrorSocket: AgentUnit = {
  unit: agentUnits.mirrorSocket,
  because: 'a balancer that asks whether this apiserver is ready starts the mirror',
  content: [
    `# ${writtenBy}`,
    '[Unit]',
    'Description=hairpin: where balancers ask whether the local apiserver is ready',
    '',
    '[Socket]',
    `ListenStream=${agentPorts.mirror}`,
    // Never given up either: a mirror that cannot start is tried again with each connection.
    'TriggerLimitIntervalSec=0',
    '',
    '[Install]',
    'WantedBy=sockets.target',
    '',
  ].join('\n'),
};

/** Its own unit, so that nothing that happens to the agent is seen by a balancer. */
const mirror: AgentUnit = {
  unit: agentUnits.mirror,
  because: 'tells balancers that cannot check HTTPS whether this apiserver is ready',
  content: service({
    description: 'hairpin: the readiness of the local apiserver over plain HTTP',
    unit: [`Requires=${agentUnits.mirrorSocket}`, `After=${agentUnits.mirrorSocket}`, withoutLimit],
    service: [
      'Type=simple',
      command('mirror'),
      small(2),
      // It ends by itself when nobody asks.
      'Restart=on-failure',
      'RestartSec=1',
      'OOMScoreAdjust=-900',
      'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6',
      'ProcSubset=pid',
      ...unprivileged,
      'SystemCallFilter=~@resources',
      ...sandbox,
    ],
  }),
};

const podsSocket: AgentUnit = {
  unit: agentUnits.podsSocket,
  because: 'flows of pods to a dead apiserver are reset from inside their namespaces',
  content: [
    `# ${writtenBy}`,
    '[Unit]',
    "Description=hairpin: where the steerer asks for resets of pods' flows",
    '',
    '[Socket]',
    `ListenStream=${agentPaths.podsSocket}`,
    'SocketUser=root',
    'SocketMode=0600',
    'DirectoryMode=0700',
    'RemoveOnStop=yes',
    '',
    '[Install]',
    'WantedBy=sockets.target',
    '',
  ].join('\n'),
};

/** Started by its socket when there is something to reset; ends by itself when there is nothing more. */
const pods: AgentUnit = {
  unit: agentUnits.pods,
  because: 'enters the namespaces of pods, which wants more than the steerer may have',
  content: service({
    description: "hairpin: destroys flows of a dead apiserver inside pods' namespaces",
    unit: [`Requires=${agentUnits.podsSocket}`, `After=${agentUnits.podsSocket}`],
    service: [
      'Type=simple',
      command('pods'),
      small(1),
      'User=root',
      'CapabilityBoundingSet=CAP_SYS_ADMIN CAP_NET_ADMIN',
      'RestrictAddressFamilies=AF_UNIX AF_NETLINK AF_INET AF_INET6',
      'RestrictNamespaces=net mnt',
      'SystemCallFilter=@system-service setns @mount',
      ...sandbox.filter((line) => line !== 'PrivateTmp=yes'),
    ],
  }),
};

/** In the order in which they start. */
export function agentUnitFiles(opts: { readonly mirror: boolean }): readonly WantedFile[] {
  return [podsSocket, pods, steerer, agent, ...(opts.mirror ? [mirrorSocket, mirror] : [])].map(
    ({ unit, because, content }) => ({
      path: unitPath(unit),
      content,
      mode: 0o644,
      because,
    }),
  );
}
