import { parse as parseYaml } from 'yaml';
import { tokenDescription } from '../../render/kubeadm/documents.ts';
import { formatHostPort } from '../../std/address.ts';
import { quoteArg } from '../../std/quote.ts';
import { lines, type Probe, sections } from '../probe.ts';
import type { ApiNode, ApiState } from '../types.ts';

const nodeColumns = [
  '{.metadata.name}',
  `{.status.conditions[?(@.type=="Ready")].status}`,
  '{.status.nodeInfo.kubeletVersion}',
  '{.spec.unschedulable}',
  '{.status.addresses[*].address}',
  '{.metadata.labels}',
].join('{"\\t"}');

/**
 * What the node's own apiserver says about the cluster, asked at the node's own address: the endpoint may not work, and
 * that must not keep anybody from looking.
 */
export const api: Probe<ApiState> = {
  script: (ask) => {
    const server = `https://${formatHostPort(ask.nodeAddress ?? '127.0.0.1', ask.apiServerPort)}`;
    return `
[ -r /etc/kubernetes/admin.conf ] || { echo 'no admin.conf on this node'; exit 1; }
command -v kubectl >/dev/null || { echo 'no kubectl on this node'; exit 1; }
[ -n "$(ss -H -lnt 'sport = :${ask.apiServerPort}')" ] || { echo 'no apiserver listens on ${ask.apiServerPort}'; exit 1; }
k() { timeout 4 kubectl --kubeconfig /etc/kubernetes/admin.conf --server ${quoteArg(server)} --request-timeout 3s "$@" </dev/null; }
echo @version
k get --raw /version || { echo "the apiserver at ${server} does not answer"; exit 1; }
echo
echo @ready
k get --raw /readyz; echo
echo @nodes
k get nodes -o jsonpath=${quoteArg(`{range .items[*]}${nodeColumns}{"\\n"}{end}`)}
echo @configmaps
k -n kube-system get configmaps -o name
echo @kubeadm-config
k -n kube-system get configmap kubeadm-config --ignore-not-found -o jsonpath='{.data.ClusterConfiguration}'; echo
echo @kube-proxy
k -n kube-system get configmap kube-proxy --ignore-not-found -o jsonpath='{.data.kubeconfig\\.conf}'; echo
echo @tokens
k -n kube-system get secrets --field-selector type=bootstrap.kubernetes.io/token -o jsonpath='{range .items[*]}{.data.description}{"\\n"}{end}'
echo @workloads
k -n kube-system get daemonsets,deployments -o jsonpath='{range .items[*]}{.kind}{"/"}{.metadata.name}{" "}{.status.numberReady}{.status.readyReplicas}{" "}{.status.desiredNumberScheduled}{.spec.replicas}{"\\n"}{end}'
:`;
  },

  parse(text) {
    const all = sections(text);
    const of = (title: string) => all.find((section) => section.title === title)?.body ?? '';
    const version = (JSON.parse(of('version')) as { gitVersion?: string }).gitVersion;
    if (version === undefined) throw new SyntaxError('no version in the answer of the apiserver');
    const proxy = parseYaml(of('kube-proxy')) as { clusters?: { cluster?: { server?: string } }[] } | null;
    const configuration = of('kubeadm-config').trim();
    return {
      version,
      ready: of('ready').trim() === 'ok',
      nodes: lines(of('nodes')).map(readNode),
      configMaps: lines(of('configmaps')).map((line) => line.replace(/^configmap\//, '')),
      clusterConfiguration: configuration === '' ? undefined : `${configuration}\n`,
      kubeProxyServer: proxy?.clusters?.[0]?.cluster?.server,
      joinTokens: lines(of('tokens')).filter((line) => Buffer.from(line, 'base64').toString() === tokenDescription)
        .length,
      workloads: lines(of('workloads')).map((line) => {
        const [name = '', ready, wanted] = line.split(' ');
        return { name: name.toLowerCase(), ready: Number(ready || 0), wanted: Number(wanted || 0) };
      }),
    };
  },
};

function readNode(line: string): ApiNode {
  const [name = '', ready, kubelet = '', unschedulable, addresses = '', labels = ''] = line.split('\t');
  return {
    name,
    ready: ready === 'True',
    controlPlane: /"?node-role\.kubernetes\.io\/(?:control-plane|master)"?:/.test(labels),
    kubelet,
    addresses: addresses.split(' ').filter((address) => address !== ''),
    unschedulable: unschedulable === 'true',
  };
}
