import type { Cause, Sighting } from '../cause.ts';
import { isEndpoint } from '../logs/context.ts';
import { endpointDials, endpointText, holdingEndpoint, masters, membersOf, reachesMembers } from './help.ts';

/** The host of the URL that was dialled and its port. */
const url = String.raw`https:\/\/(\[[^\]]+\]|[^:/"\s]+):(\d+)`;

/**
 * What this project is about. Logs alone never make it certain: they say that the endpoint did not answer, and a balancer
 * that is down looks the same from one node.
 */
export const endpointHairpins: Cause = {
  id: 'endpoint-hairpins',
  title: 'the balancer sends masters back to themselves, and their kernel drops that',
  needs: ['facts', 'dials', 'logs'],
  why: 'it dials {endpoint}; the balancer keeps the source address and sends one connection in N back to the master it came from, where source and destination are the same',
  explanation: `A layer-4 balancer that keeps the client's address (Alibaba CLB, Azure ILB, AWS NLB with client-IP preservation,
Tencent, Huawei) sends a master's packet back to the same master with source = destination, and the kernel drops it. With
one master every connection of that master to the endpoint fails, with three one in three. Depending on the version:
kubeadm up to 1.30 has kubelets that list their objects through the endpoint (time-outs, or *refused* while nothing is
served there yet or something local has the address); kubeadm 1.34 stops in upload-config with "context deadline
exceeded"; kubeadm 1.37 reports success, and the only traces are kube-proxy of that master waiting for its caches for
ever, CoreDNS without the API, and \`kubeadm token create\` timing out. Workers and clients outside never see any of it.`,
  run: 'hairpin up --strategy steer',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      in: ['kubeadm'],
      match: new RegExp(
        String.raw`error execution phase (?:upload-config|bootstrap-token|addon|mark-control-plane|upload-certs)\b.*"?${url}.*(?:context deadline exceeded|Client\.Timeout|i/o timeout|connection refused)`,
      ),
      when: (_entry, found, cx) => isEndpoint(found[1] ?? '', found[2] ?? '', cx),
      confidence: 'likely',
      example:
        'error: error execution phase upload-config/kubeadm: could not bootstrap the admin user in file admin.conf: unable to create ClusterRoleBinding: Post "https://172.16.105.26:6443/apis/rbac.authorization.k8s.io/v1/clusterrolebindings?timeout=10s": context deadline exceeded',
      seenIn: 'kubeadm v1.34.4 behind a balancer that cannot hairpin (test/fixtures/kubeadm-runs/v1.34.4-drop)',
    },
    {
      in: ['kubeadm'],
      match: new RegExp(
        String.raw`failed to create or update bootstrap token.*${url}.*(?:context deadline exceeded|Client\.Timeout|i/o timeout)`,
      ),
      when: (_entry, found, cx) => isEndpoint(found[1] ?? '', found[2] ?? '', cx),
      confidence: 'likely',
      example:
        'error: failed to create or update bootstrap token with name bootstrap-token-d0aon3: unable to create *v1.Secret: Post "https://172.16.105.26:6443/api/v1/namespaces/kube-system/secrets?timeout=10s": context deadline exceeded',
      seenIn: 'kubeadm token create of v1.37.2 on the first master (test/fixtures/kubeadm-runs/v1.37.2-drop)',
    },
    {
      in: ['kubelet'],
      match: new RegExp(
        String.raw`Failed to list \*v1\.\w+: Get "?${url}.*(?:connection refused|i/o timeout|TLS handshake timeout|context deadline exceeded)`,
        'i',
      ),
      when: (_entry, found, cx) => isEndpoint(found[1] ?? '', found[2] ?? '', cx),
      unless: /Successfully registered node|Caches are synced/,
      confidence: 'likely',
      example:
        'k8s.io/kubernetes/pkg/kubelet/kubelet.go:442: Failed to list *v1.Service: Get https://172.16.105.26:9443/api/v1/services?limit=500&resourceVersion=0: dial tcp 172.16.105.26:9443: connect: connection refused',
      seenIn: 'the article that this project starts from (kubeadm v1.14.1 behind Alibaba SLB)',
    },
    {
      in: ['kubeadm'],
      match:
        /\[kubelet-check\] Initial timeout of 40s passed|error execution phase wait-control-plane: .*(?:timed out|deadline|could not initialize)/,
      unless: /All control plane components are healthy|kube-apiserver is healthy after/,
      confidence: 'possible',
      example: '[kubelet-check] Initial timeout of 40s passed.',
      seenIn: 'the article that this project starts from (kubeadm v1.14.1 behind Alibaba SLB)',
    },
    {
      in: ['kubelet'],
      match: new RegExp(
        String.raw`(?:Unable to register node with API server|Failed to ensure lease exists).*${url}.*(?:i/o timeout|TLS handshake timeout|context deadline exceeded|Client\.Timeout)`,
      ),
      when: (_entry, found, cx) => isEndpoint(found[1] ?? '', found[2] ?? '', cx),
      unless: /Successfully registered node/,
      confidence: 'likely',
      example:
        'E0412 10:11:12.000000    1811 kubelet_node_status.go:93] "Unable to register node with API server" err="Post \\"https://172.16.105.26:6443/api/v1/nodes\\": dial tcp 172.16.105.26:6443: i/o timeout" node="m1"',
      seenIn: 'kubelet, pkg/kubelet/kubelet_node_status.go; the words of net.OpError',
    },
    {
      in: ['kube-proxy'],
      match: /shared_informer\.go:\d+\] "Waiting for caches to sync"$/,
      unless: /Caches are synced/,
      confidence: 'likely',
      example: 'I1123 22:26:13.804141       1 shared_informer.go:524] "Waiting for caches to sync"',
      seenIn: 'the whole log of kube-proxy v1.37.2 on a master (test/fixtures/kubeadm-runs/v1.37.2-drop)',
    },
    {
      in: ['kube-proxy'],
      match: new RegExp(
        `(?:Failed to (?:list|watch)|Failed to retrieve node info|can't get Node|Unable to).*${url}.*(?:i/o timeout|TLS handshake timeout|context deadline exceeded)`,
        'i',
      ),
      when: (_entry, found, cx) => isEndpoint(found[1] ?? '', found[2] ?? '', cx),
      unless: /Caches are synced|Successfully retrieved node IP/,
      confidence: 'likely',
      example:
        'E0412 10:11:12.000000       1 reflector.go:150] "Failed to watch" err="failed to list *v1.Service: Get \\"https://172.16.105.26:6443/api/v1/services?limit=500&resourceVersion=0\\": dial tcp 172.16.105.26:6443: i/o timeout" type="*v1.Service"',
      seenIn: 'kube-proxy with a dialler that gives up (client-go tools/cache/reflector.go)',
    },
  ],
  judge(live) {
    const members = membersOf(live);
    if (members.length === 0) return [];
    const others = live.nodes.flatMap((node) => {
      const dials = endpointDials(node);
      return node.spec.role !== 'worker' || dials === undefined ? [] : [{ name: node.spec.name, dials }];
    });
    const othersReach = others.length > 0 && others.every(({ dials }) => dials.answered === dials.tries);
    if (others.length > 0 && !othersReach) return [];
    return masters(live).flatMap((node): Sighting[] => {
      const dials = endpointDials(node);
      if (dials === undefined || holdingEndpoint(node, live).length > 0) return [];
      const lost = dials.timedOut;
      if (lost === 0 || dials.answered + lost < dials.tries || !reachesMembers(node, live)) return [];
      // One in N, with room for chance; a balancer that loses nearly everything of several masters has another defect.
      if (members.length > 1 && lost > dials.tries * 0.75) return [];
      const witness = others.map((one) => `${one.name} ${one.dials.answered} of ${one.dials.tries}`).join(', ');
      return [
        {
          node: node.spec.name,
          confidence: othersReach ? 'certain' : 'likely',
          saw: `${dials.answered} of ${dials.tries} connections to ${endpointText(live)} answered${witness === '' ? '' : ` (${witness})`}, and every apiserver answers it directly`,
        },
      ];
    });
  },
};
