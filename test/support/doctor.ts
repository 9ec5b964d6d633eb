import type { Dials, Evidence, Live, LiveNode, NodeLook } from '../../src/doctor/evidence.ts';
import type { Certificate, NodeFacts } from '../../src/facts/types.ts';
import type { Spec, SpecNode } from '../../src/spec/spec.ts';
import { formatHostPort } from '../../src/std/address.ts';
import { clusterFacts, factsOf, freshNode, known, seen } from './facts.ts';

/** All of `tries` answered, unless told otherwise. */
export function dials(to: string, tries: number, other: Partial<Dials> = {}): Dials {
  const lost = (other.refused ?? 0) + (other.timedOut ?? 0) + (other.silent ?? 0) + (other.failed ?? 0);
  return {
    to,
    tries,
    answered: tries - lost,
    refused: 0,
    timedOut: 0,
    silent: 0,
    failed: 0,
    statuses: tries > lost ? [200] : [],
    ...other,
  };
}

const year = 365 * 24 * 3_600_000;
export const doctorNow = new Date('2026-11-27T10:00:00Z');

function certificate(path: string, over: Partial<Certificate>): Certificate {
  return {
    path,
    subject: 'CN=x',
    issuer: 'CN=kubernetes',
    notBefore: new Date(doctorNow.getTime() - year / 12).toISOString(),
    notAfter: new Date(doctorNow.getTime() + year).toISOString(),
    dnsNames: [],
    addresses: [],
    fingerprint: 'ab',
    ...over,
  };
}

/** A node of a cluster in which everything is well, as facts see it. */
function healthyFacts(spec: Spec, node: SpecNode): NodeFacts {
  const master = node.role === 'control-plane';
  const { endpoint } = spec;
  const listener = (port: number, program: string) => ({
    protocol: 'tcp' as const,
    address: '*',
    port,
    programs: [program],
    pids: [100],
  });
  const active = { active: 'active', enabled: 'enabled' };
  return factsOf({
    ...freshNode(spec, node),
    listening: known([
      listener(10_250, 'kubelet'),
      ...(master
        ? [listener(spec.apiServerPort, 'kube-apiserver'), listener(2379, 'etcd'), listener(2380, 'etcd')]
        : []),
    ]),
    endpointRoutes: known(
      endpoint.addresses.map((address) => ({
        address,
        is: 'unicast' as const,
        via: undefined,
        device: 'eth0',
        source: node.address,
      })),
    ),
    endpointLookup: known(
      endpoint.kind === 'domain' ? [{ name: endpoint.domain, addresses: endpoint.addresses, fromHosts: false }] : [],
    ),
    sysctls: known({
      'net.ipv4.conf.all.rp_filter': '0',
      'net.ipv4.conf.all.arp_ignore': '0',
      'net.netfilter.nf_conntrack_max': '262144',
      'net.netfilter.nf_conntrack_count': '300',
    }),
    swap: known([]),
    disks: known([{ path: '/var/lib/etcd', mount: '/', totalBytes: 1e11, freeBytes: 5e10, freeInodes: 1e6 }]),
    units: known({ 'kubelet.service': active, 'containerd.service': active }),
    kubeadm: known({
      phase: master ? 'control-plane' : 'worker',
      because: 'all files are there',
      present: [],
      staticPods: master
        ? [{ name: 'kube-apiserver', image: undefined, flags: { 'advertise-address': node.address.text } }]
        : [],
      etcdData: master,
      kubeletConfigured: true,
    }),
    certificates: known(
      master
        ? [
            certificate('/etc/kubernetes/pki/apiserver.crt', {
              dnsNames: ['kubernetes', node.name, ...(endpoint.kind === 'domain' ? [endpoint.domain] : [])],
              addresses: ['10.96.0.1', node.address.text, ...(endpoint.kind === 'address' ? [endpoint.host] : [])],
            }),
          ]
        : [certificate('/var/lib/kubelet/pki/kubelet-client-current.pem', {})],
    ),
    kubeconfigs: known(
      master
        ? [
            {
              path: '/etc/kubernetes/admin.conf',
              server: `https://${formatHostPort(endpoint.host, endpoint.port)}`,
              caFingerprint: 'aa',
            },
          ]
        : [],
    ),
    etcd: master
      ? known({
          clusterId: '1',
          members: spec.nodes
            .filter(({ role }) => role === 'control-plane')
            .map(({ name, address }, index) => ({
              id: String(index + 1),
              name,
              peerUrls: [`https://${formatHostPort(address, 2380)}`],
              clientUrls: [],
              learner: false,
            })),
        })
      : { is: 'unknown', reason: 'no etcd here' },
  });
}

function healthyLook(spec: Spec): NodeLook {
  const masters = spec.nodes.filter(({ role }) => role === 'control-plane');
  return {
    dials: {
      endpoint: dials(formatHostPort(spec.endpoint.host, spec.endpoint.port), 12),
      masters: masters.map(({ name, address }) => ({
        master: name,
        ...dials(formatHostPort(address, spec.apiServerPort), 2),
      })),
    },
    ownHosts: [],
    podHosts: [],
    keepalived: [],
    kubelet: { cgroupDriver: 'systemd', failSwapOn: undefined },
    systemdCgroup: true,
    cniFiles: ['10-bridge.conflist'],
    refusedHere: [],
    drops: [],
  };
}

export interface Edit {
  readonly facts?: (facts: NodeFacts) => Partial<NodeFacts>;
  readonly look?: (look: NodeLook) => Partial<NodeLook>;
  readonly gone?: boolean;
}

/** A healthy cluster, with what `edit` says changed on the nodes that it has something for. */
export function evidenceOf(spec: Spec, edit: (node: SpecNode) => Edit = () => ({})): Evidence {
  const nodes = spec.nodes.map((node): LiveNode => {
    const { facts: change, look: lookChange, gone = false } = edit(node);
    if (gone) return { spec: node, facts: undefined, look: undefined, missing: ['does not answer'], unreachable: true };
    const facts = healthyFacts(spec, node);
    const look = healthyLook(spec);
    return {
      spec: node,
      facts: { ...facts, ...change?.(facts) },
      look: { ...look, ...lookChange?.(look) },
      missing: [],
      unreachable: false,
    };
  });
  const facts = clusterFacts(
    nodes.flatMap(({ spec: { name }, facts: own }) => (own === undefined ? [] : [seen(name, own)])),
  );
  const live: Live = { spec, facts, nodes, checks: [], now: doctorNow };
  return { live, logs: [] };
}
