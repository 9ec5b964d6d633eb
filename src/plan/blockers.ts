/**
 * What keeps a plan from being carried out, found before anything is changed. One rule a function; all problems at once.
 * A rule says nothing about what could not be seen: the tools themselves will.
 */
import type { ClusterFacts, NodeFacts } from '../facts/types.ts';
import { haproxyUnit } from '../render/haproxy/config.ts';
import { documentProblems } from '../render/kubeadm/api.ts';
import { gatesMissing } from '../render/kubeadm/gates.ts';
import type { SpecNode } from '../spec/spec.ts';
import { formatHostPort } from '../std/address.ts';
import { formatDuration } from '../std/duration.ts';
import { compareVersions, parseVersion } from '../std/version.ts';
import type { Place } from '../strategy/strategy.ts';
import { bundleBlockers } from './bundle.ts';
import type { PlanContext } from './context.ts';
import type { PlanBlocker } from './plan.ts';
import { known } from './view.ts';

export function findBlockers(cx: PlanContext, facts: ClusterFacts): readonly PlanBlocker[] {
  return [
    ...unreachable(facts),
    ...duplicates(facts),
    ...documents(cx),
    ...bundleBlockers(cx),
    ...cx.cluster.places.flatMap((place) => {
      const seen = cx.view.node(place.node.name).facts;
      return seen === undefined ? [] : nodeRules.flatMap((rule) => rule(cx, place, seen));
    }),
  ];
}

type NodeRule = (cx: PlanContext, place: Place, facts: NodeFacts) => readonly PlanBlocker[];

/** For other nodes than members: those have what they need, or they would not be members. */
const onlyNew =
  (rule: NodeRule): NodeRule =>
  (cx, place, facts) =>
    cx.cluster.state(place.node) === 'member' ? [] : rule(cx, place, facts);

const missingTools: NodeRule = ({ strategy, bundle, cluster }, place, facts) => {
  const tools = known(facts.tools);
  if (tools === undefined) return [];
  const brought = cluster.state(place.node) === 'member' ? [] : (bundle?.tools ?? []);
  const missing = strategy.tools(place).filter((any) => !any.some((name) => name in tools || brought.includes(name)));
  return missing.map((any) => ({
    code: 'TOOL_MISSING',
    node: place.node.name,
    problem: `strategy ${strategy.name} needs ${any.length === 1 ? any[0] : `one of ${any.join(', ')}`}, and ${place.node.name} has ${any.length === 1 ? 'it not' : 'none'}`,
    hint:
      bundle === undefined
        ? `install ${any[0]} there, or let a bundle bring it (prepare: { bundle })`
        : `install ${any[0]} there: the bundle has it not`,
  }));
};

/** The Node.js in hairpin's own program is made for these (nodejs.org, BUILDING.md: glibc ≥ 2.28). */
const leastGlibc = [2, 28] as const;
const machines = ['x86_64', 'aarch64'];

const program: NodeRule = ({ strategy }, place, facts) => {
  const host = known(facts.program);
  const machine = known(facts.os)?.machine;
  const { node } = place;
  if (strategy.unsuitable() !== undefined || !strategy.wants(place, 'settled').program) return [];
  const blocker = (code: string, problem: string, hint: string): PlanBlocker => ({
    code,
    node: node.name,
    problem,
    hint,
  });
  const instead = 'use another strategy for this cluster, or another system on the node';
  if (machine !== undefined && !machines.includes(machine)) {
    return [blocker('PROGRAM_ARCH', `hairpin's agent is not made for ${machine}, which ${node.name} is`, instead)];
  }
  if (host === undefined) return [];
  const [major = 0, minor = 0] = (host.glibc ?? '0.0').split('.').map(Number);
  if (major < leastGlibc[0] || (major === leastGlibc[0] && minor < leastGlibc[1])) {
    const has = host.glibc === undefined ? 'has another C library' : `has glibc ${host.glibc}`;
    return [
      blocker('PROGRAM_LIBC', `hairpin's agent needs glibc ${leastGlibc.join('.')}, and ${node.name} ${has}`, instead),
    ];
  }
  // libatomic travels with the program, but only where this machine could supply it: for its own kind.
  const wanted = ['libstdc++.so.6', 'libgcc_s.so.1', ...(machine === 'aarch64' ? ['libatomic.so.1'] : [])];
  const missing = wanted.filter((name) => !host.libraries.includes(name));
  if (missing.length === 0) return [];
  return [
    blocker(
      'PROGRAM_LIBRARY',
      `hairpin's agent needs ${missing.join(', ')}, and ${node.name} has ${missing.length === 1 ? 'it' : 'them'} not`,
      'install there: libstdc++6 and libatomic1 on Debian, libstdc++ and libatomic on RHEL',
    ),
  ];
};

const preinstalled: NodeRule = onlyNew(({ spec }, { node }, facts) => {
  const tools = known(facts.tools);
  if (spec.prepare.kind !== 'preinstalled' || tools === undefined) return [];
  const missing = ['kubeadm', 'kubelet', 'containerd'].filter((name) => !(name in tools));
  const runtime = ['crio', 'dockerd'].some((name) => name in tools);
  const without = missing.filter((name) => name !== 'containerd' || !runtime);
  // Whoever installs containerd by hand forgets this one.
  const absent = [...without, ...(without.includes('containerd') && !('runc' in tools) ? ['runc'] : [])];
  if (absent.length === 0) return [];
  return [
    {
      code: 'NOT_PREPARED',
      node: node.name,
      problem: `${node.name} has no ${absent.join(', no ')}`,
      hint: `install ${absent.length === 1 ? 'it' : 'them'} there, or let a bundle bring ${absent.length === 1 ? 'it' : 'them'}: hairpin bundle create --kubernetes ${spec.kubernetes.version.text}, then prepare: { bundle: bundle.tar.gz }`,
    },
  ];
});

const kubeadmVersion: NodeRule = onlyNew(({ spec }, { node }, facts) => {
  if (spec.prepare.kind !== 'preinstalled') return [];
  const wanted = spec.kubernetes.version;
  return ['kubeadm', 'kubelet'].flatMap((name) => {
    const text = known(facts.tools)?.[name]?.version;
    const found = text === undefined ? undefined : parseVersion(text);
    if (found === undefined || compareVersions(found, wanted) === 0) return [];
    // kubeadm makes its own version and one older; a kubelet may be older than the apiserver, never newer.
    const isFine = name === 'kubelet' && compareVersions(found, wanted) < 0 && found.minor >= wanted.minor - 2;
    if (isFine) return [];
    return [
      {
        code: 'WRONG_VERSION',
        node: node.name,
        problem: `${name} on ${node.name} is ${found.text}, the cluster is to be ${wanted.text}`,
        hint: `install ${name} ${wanted.text} there`,
      },
    ];
  });
});

const ports: NodeRule = onlyNew((cx, { node, part }, facts) => {
  if (cx.cluster.state(node) === 'half') return [];
  const { spec, strategy } = cx;
  const own = part === 'worker' ? [] : [spec.apiServerPort, 2379, 2380, 10257, 10259];
  const haproxy = strategy.wants({ node, part, index: 0 }, 'settled').units.some((unit) => unit.unit === haproxyUnit);
  const ours = cx.desk(node.name).unit(haproxyUnit) === 'running';
  const wanted = [...own, 10250, ...(haproxy && !ours ? [spec.endpoint.port] : [])];
  return (known(facts.listening) ?? [])
    .filter((socket) => socket.protocol === 'tcp' && wanted.includes(socket.port))
    .filter((socket) => !socket.programs.includes('kubelet') || socket.port !== 10250)
    .map((socket) => ({
      code: 'PORT_IN_USE',
      node: node.name,
      problem: `port ${socket.port} on ${node.name} is taken by ${socket.programs.join(', ') || 'a program that cannot be seen'} (${formatHostPort(socket.address, socket.port)})`,
      hint: `stop it; \`ss -ltnp sport = :${socket.port}\` shows it`,
    }));
});

// etcd's default quota is 2 GiB and a new cluster needs a few MiB of it; images are the rest, and they are elsewhere.
const enough = { bytes: 512 * 1024 ** 2, inodes: 10_000 };

const disk: NodeRule = onlyNew((_cx, { node }, facts) => {
  const tooFull = (known(facts.disks) ?? []).filter(
    (d) => d.freeBytes < enough.bytes || (d.freeInodes > 0 && d.freeInodes < enough.inodes),
  );
  const mounts = new Map(tooFull.map((d) => [d.mount, d]));
  return [...mounts.values()].map((d) => ({
    code: 'DISK_FULL',
    node: node.name,
    problem: `${d.mount} on ${node.name} has ${Math.floor(d.freeBytes / 1024 ** 2)} MiB and ${d.freeInodes} inodes free; etcd and images need 512 MiB at least`,
    hint: 'make room there',
  }));
});

/** Certificates made on one node are not valid yet on another whose clock is behind, and tokens expire early or late. */
const allowedOffsetMs = 60_000;

const clock: NodeRule = (_cx, { node }, facts) => {
  const seen = known(facts.clock);
  if (seen === undefined || Math.abs(seen.offsetMs) - seen.uncertaintyMs <= allowedOffsetMs) return [];
  return [
    {
      code: 'CLOCK_OFF',
      node: node.name,
      problem: `the clock of ${node.name} is ${formatDuration(Math.abs(seen.offsetMs))} ${seen.offsetMs > 0 ? 'ahead of' : 'behind'} this machine's`,
      hint: 'set it right (chrony or systemd-timesyncd) on the node, or on this machine if all nodes are off by the same',
    },
  ];
};

const role: NodeRule = (cx, { node }, facts) => {
  const phase = known(facts.kubeadm)?.phase;
  const is = phase === 'control-plane' || phase === 'worker' ? phase : undefined;
  if (is === undefined) return [];
  if (is !== node.role) {
    return [
      {
        code: 'ROLE_CHANGED',
        node: node.name,
        problem: `${node.name} is a ${is} node of its cluster and a ${node.role} node in the spec`,
        hint: 'take it out first: hairpin node remove, then hairpin node add',
      },
    ];
  }
  if (!cx.cluster.exists && is === 'worker') {
    return [otherCluster(node, 'there is no master yet, so it belongs to another cluster')];
  }
  const ca = (name: string) => {
    const view = name === node.name ? facts : cx.view.node(name).facts;
    return known(view?.certificates)?.find((c) => c.path === '/etc/kubernetes/pki/ca.crt')?.fingerprint;
  };
  const [own, leaders] = [ca(node.name), ca(cx.cluster.leader.name)];
  if (own === undefined || leaders === undefined || own === leaders) return [];
  return [otherCluster(node, `its CA is not the one of ${cx.cluster.leader.name}`)];
};

function otherCluster(node: SpecNode, why: string): PlanBlocker {
  return {
    code: 'OTHER_CLUSTER',
    node: node.name,
    problem: `${node.name} is in a cluster already: ${why}`,
    hint: 'reset it first, if nobody needs what it is',
  };
}

/** Another endpoint means other certificates, kubeconfigs and config maps: that is `migrate`, not `up`. */
const endpoint: NodeRule = (cx, { node, part }, facts) => {
  if (part === 'worker' || cx.cluster.state(node) !== 'member') return [];
  const wanted = `https://${formatHostPort(cx.spec.endpoint.host, cx.spec.endpoint.port)}`;
  const server = known(facts.kubeconfigs)?.find((k) => k.path === '/etc/kubernetes/admin.conf')?.server;
  if (server === undefined || server === wanted) return [];
  return [
    {
      code: 'ENDPOINT_CHANGED',
      node: node.name,
      problem: `admin.conf of ${node.name} dials ${server}, the spec's endpoint is ${wanted}`,
      hint: 'make the spec say what the cluster has; changing the endpoint of a cluster is a migration',
    },
  ];
};

const nodeRules: readonly NodeRule[] = [
  missingTools,
  program,
  preinstalled,
  kubeadmVersion,
  ports,
  disk,
  clock,
  role,
  endpoint,
];

function unreachable(facts: ClusterFacts): readonly PlanBlocker[] {
  return facts.nodes.flatMap((report) =>
    report.is === 'seen'
      ? []
      : [
          {
            code: report.code,
            node: report.node,
            problem: report.cause === undefined ? report.reason : `${report.reason}: ${report.cause}`,
            hint: report.hint,
          },
        ],
  );
}

function duplicates(facts: ClusterFacts): readonly PlanBlocker[] {
  return facts.duplicates.map(({ what, value, nodes }) => ({
    code: 'DUPLICATE',
    node: undefined,
    problem: `${nodes.join(' and ')} have the same ${what} (${value}); Kubernetes and etcd take them for one machine`,
    hint:
      what === 'machine-id'
        ? 'on clones: rm /etc/machine-id && systemd-machine-id-setup, then reboot'
        : 'give each its own',
  }));
}

function documents({ spec }: PlanContext): readonly PlanBlocker[] {
  const { version } = spec.kubernetes;
  const problems = documentProblems(version, spec.kubeadm.documents).map(({ code, index, problem, expected }) => ({
    code,
    node: undefined,
    problem: `spec.kubeadm.documents[${index}]: ${problem}`,
    hint: `expected ${expected}`,
  }));
  const gates = spec.kubeadm.documents.flatMap((document, index) => {
    const { featureGates } = document as { readonly featureGates?: Readonly<Record<string, unknown>> };
    if (document.kind !== 'ClusterConfiguration' || featureGates === undefined) return [];
    return gatesMissing(featureGates, version).map((name) => ({
      code: 'KUBEADM_GATE',
      node: undefined,
      problem: `spec.kubeadm.documents[${index}]: kubeadm ${version.text} has no feature gate ${name} and refuses it`,
      hint: 'leave it out',
    }));
  });
  return [...problems, ...gates];
}
