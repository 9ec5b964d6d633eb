import { tokenDescription } from '../../render/kubeadm/documents.ts';
import { formatHostPort } from '../../std/address.ts';
import { quoteArg } from '../../std/quote.ts';
import { type Probe, sections } from '../probe.ts';
import type { ApiNode, ApiState } from '../types.ts';
import { yamlData } from '../yaml-data.ts';

// One call for everything that is listed: each kubectl costs the node a tenth of a second.
const template = String.raw`
{{- range .items -}}
{{- if eq .kind "Node" }}@node{{"\t"}}{{.metadata.name}}{{"\t"}}
  {{- range .status.conditions}}{{if eq .type "Ready"}}{{.status}}{{end}}{{end}}{{"\t"}}
  {{- .status.nodeInfo.kubeletVersion}}{{"\t"}}{{if .spec.unschedulable}}true{{end}}{{"\t"}}
  {{- range .status.addresses}}{{.address}} {{end}}{{"\t"}}{{range $k, $v := .metadata.labels}}{{$k}} {{end}}{{"\n"}}
{{- else if eq .kind "ConfigMap" }}@configmap {{.metadata.name}}{{"\n"}}
  {{- if eq .metadata.name "kubeadm-config"}}{{.data.ClusterConfiguration}}{{"\n"}}{{end}}
  {{- if eq .metadata.name "kube-proxy"}}{{index .data "kubeconfig.conf"}}{{"\n"}}{{end}}
{{- else if eq .kind "Secret" }}
  {{- if eq .type "bootstrap.kubernetes.io/token"}}@token {{or .data.description ""}}{{"\n"}}{{end}}
{{- else if eq .kind "DaemonSet" }}@workload {{.kind}}/{{.metadata.name}} {{.status.numberReady}} {{.status.desiredNumberScheduled}}{{"\n"}}
{{- else }}@workload {{.kind}}/{{.metadata.name}} {{or .status.readyReplicas 0}} {{.spec.replicas}}{{"\n"}}
{{- end -}}
{{- end -}}`;

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
# No cache of what the server can do: a probe leaves no file behind.
k() { timeout 4 kubectl --kubeconfig /etc/kubernetes/admin.conf --server ${quoteArg(server)} --cache-dir /dev/null --request-timeout 3s "$@" </dev/null; }
# Both paths are public unless somebody closed them; kubectl, which starts slowly, is for those who did.
ask() {
  command -v curl >/dev/null && [ -r /etc/kubernetes/pki/ca.crt ] &&
    curl --silent --fail --noproxy '*' --max-time 3 --cacert /etc/kubernetes/pki/ca.crt ${quoteArg(server)}"$1" ||
    k get --raw "$1"
}
echo @version
ask /version || { echo "the apiserver at ${server} does not answer"; exit 1; }
echo
echo @ready
ask /readyz; echo
k -n kube-system get nodes,configmaps,secrets,daemonsets,deployments -o go-template=${quoteArg(template)} || {
  # admin.conf gets its rights from init, in a phase after the apiserver runs: a killed init may not have come that far.
  if k get nodes 2>&1 | grep -qi forbidden; then echo @forbidden; else echo @partial; fi
}
:`;
  },

  parse(text) {
    const all = sections(text);
    const of = (title: string) => all.find((section) => section.title === title)?.body ?? '';
    const titles = (kind: string) =>
      all.flatMap(({ title }) => (title.startsWith(kind) ? [title.slice(kind.length + 1)] : []));
    const version = (JSON.parse(of('version')) as { gitVersion?: string }).gitVersion;
    if (version === undefined) throw new SyntaxError('no version in the answer of the apiserver');
    if (all.some(({ title }) => title === 'partial')) throw new SyntaxError('the apiserver did not list everything');
    const proxy = yamlData(of('configmap kube-proxy')) as { clusters?: { cluster?: { server?: string } }[] } | null;
    const configuration = of('configmap kubeadm-config').trim();
    return {
      version,
      ready: of('ready').trim() === 'ok',
      nodes: titles('node').map(readNode),
      configMaps: titles('configmap'),
      clusterConfiguration: configuration === '' ? undefined : `${configuration}\n`,
      kubeProxyServer: proxy?.clusters?.[0]?.cluster?.server,
      joinTokens: titles('token').filter((text) => Buffer.from(text, 'base64').toString() === tokenDescription).length,
      workloads: titles('workload').map((line) => {
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
    controlPlane: labels
      .split(' ')
      .some((label) => /^node-role\.kubernetes\.io\/(?:control-plane|master)$/.test(label)),
    kubelet,
    addresses: addresses.split(' ').filter((address) => address !== ''),
    unschedulable: unschedulable === 'true',
  };
}
