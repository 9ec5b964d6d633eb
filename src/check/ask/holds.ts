import { etcdEndpoint, etcdMembersScript } from '../../kube/etcd.ts';
import { kubectlArgv } from '../../kube/kubectl.ts';
import type { HoldCheck } from '../../plan/step.ts';
import type { Spec, SpecNode } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';
import { fetchFunction } from './connect.ts';
import type { Question } from './question.ts';

/** The question behind a hold step, as asked on `node`. */
export function questionOf(check: HoldCheck, spec: Spec, node: SpecNode): Question {
  switch (check.is) {
    case 'unit-active':
      return unitActive(check.unit);
    case 'address-present':
      return addressPresent(check.address.text);
    case 'apiserver-ready':
      return apiserverReady(formatHostPort(check.address, check.port));
    case 'endpoint-answers':
      return endpointAnswers(formatHostPort(check.host, check.port));
    case 'etcd-voters':
      return etcdVoters(node, check.count);
    case 'nodes-ready':
      return nodesReady(spec, node, check.nodes);
    case 'kube-proxy-synced':
      return kubeProxySynced;
    case 'coredns-ready':
      return corednsReady(spec, node);
  }
}

export function unitActive(unit: string): Question {
  return {
    want: `${unit} runs`,
    script: 'state=$(systemctl is-active -- "$1"); [ "$state" = active ] || { echo "$1 is $state"; exit 1; }',
    args: [unit],
  };
}

export function addressPresent(address: string): Question {
  return {
    want: `${address} is an address of this node`,
    script: '[ -n "$(ip -oneline address show to "$1")" ] || { echo "$1 is on no interface"; exit 1; }',
    args: [address],
  };
}

/** /readyz is open to everybody unless anonymous requests are off; then admin.conf asks. */
export function apiserverReady(hostPort: string): Question {
  return {
    want: `https://${hostPort}/readyz answers 200`,
    script: `${fetchFunction}
code=$(fetch "https://$1/readyz")
case $code in
  200) exit 0 ;;
  401|403)
    kubectl --kubeconfig /etc/kubernetes/admin.conf --server "https://$1" --cache-dir /dev/null --request-timeout=3s get --raw /readyz >/dev/null && exit 0
    echo "https://$1/readyz answered $code" ;;
  000) echo "https://$1/readyz does not answer" ;;
  *) echo "https://$1/readyz answered $code" ;;
esac
exit 1`,
    args: [hostPort],
  };
}

/** Any answer will do: who serves is asked elsewhere. */
export function endpointAnswers(hostPort: string): Question {
  return {
    want: `the endpoint ${hostPort} answers`,
    script: `${fetchFunction}
code=$(fetch "https://$1/version")
[ "$code" != 000 ] || { echo "https://$1 does not answer"; exit 1; }`,
    args: [hostPort],
  };
}

export function etcdVoters(node: SpecNode, count: number): Question {
  return {
    want: `${count} etcd members, each a started voter`,
    script: `
want=$1; shift
list=$(sh -c "$1" hairpin-etcd "$2" 2>&1) || { echo "etcd: $(printf '%s\\n' "$list" | tail -n 1)"; exit 1; }
all=$(printf '%s\\n' "$list" | grep -c -E '^(started|unstarted) ')
voters=$(printf '%s\\n' "$list" | grep -c -x 'started voter')
[ "$all" = "$want" ] && [ "$voters" = "$want" ] || { echo "$all members, $voters of them started voters"; exit 1; }`,
    args: [String(count), etcdMembersScript, etcdEndpoint(node)],
  };
}

const readyPath =
  '{range .items[*]}{.metadata.name}={range .status.conditions[?(@.type=="Ready")]}{.status}{end}{"\\n"}{end}';

export function nodesReady(spec: Spec, master: SpecNode, nodes: readonly string[]): Question {
  return {
    want: `${nodes.join(', ')} Ready`,
    script: `
names=$1; shift
list=$("$@" 2>&1) || { echo "kubectl: $(printf '%s\\n' "$list" | tail -n 1)"; exit 1; }
bad=
for name in $names; do
  state=$(printf '%s\\n' "$list" | grep -F -x -e "$name=True" -e "$name=False" -e "$name=Unknown" -e "$name=") || state=$name=absent
  [ "$state" = "$name=True" ] || bad="$bad $name"
done
[ -z "$bad" ] || { echo "not Ready:$bad"; exit 1; }`,
    args: [nodes.join(' '), ...kubectlArgv(spec, master, ['get', 'nodes', '-o', `jsonpath=${readyPath}`])],
  };
}

/**
 * /healthz of kube-proxy says 200 while it still waits for its first answer from the apiserver, so the time of its last
 * sync is read as well: each family that was queued must have been written once, and /healthz must not complain about
 * later ones. Where its metrics are elsewhere, the rules themselves are looked for.
 */
export const kubeProxySynced: Question = {
  want: 'kube-proxy has written its rules',
  script: `
families() {
  printf '%s\\n' "$metrics" | grep "^kubeproxy_sync_proxy_rules_$1"'[{ ]' | grep -v ' 0$' | sed 's/ [^ ]*$//; s/^[a-z_]*//; s/^$/all families/' | sort
}
for host in 127.0.0.1 '[::1]'; do
  metrics=$(curl --silent --globoff --noproxy '*' --max-time 3 "http://$host:10249/metrics" 2>/dev/null) || continue
  queued=$(families last_queued_timestamp_seconds)
  synced=$(families last_timestamp_seconds)
  [ -n "$synced" ] || { echo 'kube-proxy runs and has not synced yet'; exit 1; }
  [ -z "$queued" ] || [ "$queued" = "$synced" ] || { echo "kube-proxy has synced $(echo $synced) and not all of $(echo $queued)"; exit 1; }
  code=$(curl --silent --globoff --noproxy '*' --max-time 3 --output /dev/null --write-out '%{http_code}' "http://$host:10256/healthz" 2>/dev/null)
  [ "$code" != 503 ] || { echo 'kube-proxy could not write its last rules (/healthz on 10256 says 503)'; exit 1; }
  exit 0
done
nft list tables 2>/dev/null | grep -q 'kube-proxy$' && exit 0
iptables-save -t nat 2>/dev/null | grep -q '^-A KUBE-SVC' && exit 0
ip6tables-save -t nat 2>/dev/null | grep -q '^-A KUBE-SVC' && exit 0
echo 'kube-proxy does not run'
exit 1`,
  args: [],
};

export function corednsReady(spec: Spec, master: SpecNode): Question {
  const args = ['--namespace', 'kube-system', 'get', 'deployment', 'coredns', '-o', 'jsonpath={.status.readyReplicas}'];
  return {
    want: 'at least one CoreDNS pod is ready',
    script: `
ready=$("$@" 2>&1) || { echo "kubectl: $(printf '%s\\n' "$ready" | tail -n 1)"; exit 1; }
[ "\${ready:-0}" -ge 1 ] 2>/dev/null || { echo "\${ready:-0} CoreDNS pods are ready"; exit 1; }`,
    args: kubectlArgv(spec, master, args),
  };
}
