import { OperatorError } from '../../errors/operator-error.ts';
import { formatHostPort } from '../../std/address.ts';
import { adoptedNodes } from './adopted-nodes.ts';

/** What was found of a kubeadm cluster, as text. Files that are not there are `undefined`. */
export interface ClusterEvidence {
  /** The ConfigMap `kubeadm-config`, key ClusterConfiguration. */
  readonly clusterConfiguration: string;
  /** `kubectl get nodes -o json` */
  readonly nodes: string;
  /** Of the apiserver of the master that was asked. */
  readonly apiServerPort: number;
  readonly masters: readonly MasterEvidence[];
}

export interface MasterEvidence {
  readonly node: string;
  /** Why nothing is known of this one. */
  readonly unreachable?: string;
  readonly hosts?: string | undefined;
  readonly keepalived?: string | undefined;
  readonly haproxy?: string | undefined;
  /** `ip addr`, in any of its formats. */
  readonly addresses?: string | undefined;
}

/** Runs one command that only reads, on one master, as root. */
export type MasterProbe = (
  argv: readonly string[],
  opts: { readonly signal?: AbortSignal },
) => Promise<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>;

/**
 * Looks at a cluster through one of its masters, then at the other masters. The apiserver is asked at its own address:
 * the endpoint may well be what is broken.
 */
export async function collectEvidence(
  entry: MasterProbe,
  toMaster: (node: { readonly name: string; readonly address: string }) => MasterProbe,
  opts: { readonly signal?: AbortSignal } = {},
): Promise<ClusterEvidence> {
  const manifest = await fileOn(entry, '/etc/kubernetes/manifests/kube-apiserver.yaml', opts);
  if (manifest === undefined) {
    throw new OperatorError('ADOPT_NO_MASTER', 'This node has no /etc/kubernetes/manifests/kube-apiserver.yaml', {
      hint: 'name a master that kubeadm made',
    });
  }
  const address = /--advertise-address=(\S+?)"?\s*$/m.exec(manifest)?.[1] ?? '127.0.0.1';
  const apiServerPort = Number(/--secure-port=(\d+)/.exec(manifest)?.[1] ?? 6443);
  const kubectl = async (...argv: string[]): Promise<string> => {
    const server = `https://${formatHostPort(address, apiServerPort)}`;
    const base = ['kubectl', '--kubeconfig=/etc/kubernetes/admin.conf', `--server=${server}`, '--request-timeout=10s'];
    const result = await entry([...base, ...argv], opts);
    if (result.exitCode === 0) return result.stdout;
    throw new OperatorError('ADOPT_NO_ANSWER', `The apiserver at ${server} did not say what was asked`, {
      cause: withoutLog(result.stderr),
      hint: 'its own master must have a working apiserver and kubectl; try another master',
    });
  };
  const clusterConfiguration = await kubectl(
    '--namespace=kube-system',
    'get',
    'configmap',
    'kubeadm-config',
    '--output=jsonpath={.data.ClusterConfiguration}',
  );
  const nodes = await kubectl('get', 'nodes', '--output=json');
  const masters = adoptedNodes(nodes).filter((node) => node.role === 'control-plane');
  return {
    clusterConfiguration,
    nodes,
    apiServerPort,
    masters: await Promise.all(
      masters.map(async (node): Promise<MasterEvidence> => {
        const [primary = ''] = node.addresses;
        return await lookAt(node.name, toMaster({ name: node.name, address: primary }), opts);
      }),
    ),
  };
}

/** kubectl's answer without the lines that client-go logs on the way to it. */
function withoutLog(stderr: string): string {
  const lines = stderr.trim().split('\n');
  const said = lines.filter((line) => !/^[EWI]\d{4} /.test(line));
  return (said.length === 0 ? lines : said).join('\n');
}

/** A master that does not answer is part of the picture, not the end of it. */
async function lookAt(
  node: string,
  probe: MasterProbe,
  opts: { readonly signal?: AbortSignal },
): Promise<MasterEvidence> {
  try {
    const [hosts, keepalived, haproxy, addresses] = await Promise.all([
      fileOn(probe, '/etc/hosts', opts),
      fileOn(probe, '/etc/keepalived/keepalived.conf', opts),
      fileOn(probe, '/etc/haproxy/haproxy.cfg', opts),
      probe(['ip', '-o', 'addr', 'show'], opts).then((result) => (result.exitCode === 0 ? result.stdout : undefined)),
    ]);
    return { node, hosts, keepalived, haproxy, addresses };
  } catch (error) {
    opts.signal?.throwIfAborted();
    return { node, unreachable: error instanceof Error ? error.message : String(error) };
  }
}

async function fileOn(
  probe: MasterProbe,
  path: string,
  opts: { readonly signal?: AbortSignal },
): Promise<string | undefined> {
  const result = await probe(['cat', path], opts);
  return result.exitCode === 0 ? result.stdout : undefined;
}
