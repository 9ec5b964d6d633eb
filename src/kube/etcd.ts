import type { SpecNode } from '../spec/spec.ts';
import { formatHostPort } from '../std/address.ts';

/**
 * sh functions that ask the etcd of this master (`$endpoint`), by whatever is there: etcdctl of the node, curl through
 * etcd's JSON gateway, or etcdctl inside the etcd container. The endpoint of the cluster plays no part.
 */
const etcdFunctions = `
pki=/etc/kubernetes/pki/etcd
cert=$pki/server
[ -r $cert.crt ] || cert=$pki/peer
etcdctl_args="--endpoints $endpoint --cacert $pki/ca.crt --cert $cert.crt --key $cert.key --command-timeout 5s"
ETCDCTL_API=3; export ETCDCTL_API
gateway() {
  curl --silent --show-error --fail-with-body --globoff --noproxy '*' --max-time 10 --cacert $pki/ca.crt \\
    --cert $cert.crt --key $cert.key --data "$2" "$endpoint/v3/cluster/member/$1"
}
in_container() {
  if command -v crictl >/dev/null 2>&1; then
    id=$(crictl ps --quiet --state Running --name '^etcd$' 2>/dev/null | head -n 1)
    if [ -n "$id" ]; then crictl exec "$id" etcdctl $etcdctl_args "$@"; return; fi
  fi
  echo 'neither etcdctl nor curl nor crictl is on this node' >&2
  return 69
}
`;

/** Prints a line for each member: `voter` or `learner`, and `started` or `unstarted`. `$1` is the client URL. */
export const etcdMembersScript = `
endpoint=$1
${etcdFunctions}
simple() { sed -E 's/^[^,]*, (started|unstarted), .*, (true|false)$/\\1 \\2/; s/ true$/ learner/; s/ false$/ voter/'; }
if command -v etcdctl >/dev/null 2>&1; then
  list=$(etcdctl $etcdctl_args member list) || exit 1
  printf '%s\\n' "$list" | simple
elif command -v curl >/dev/null 2>&1; then
  list=$(gateway list '{}') || exit 1
  printf '%s' "$list" | sed 's/.*"members"://; s/},{/}\\n{/g' | while read -r member || [ -n "$member" ]; do
    case $member in *'"name":'*) state=started ;; *) state=unstarted ;; esac
    case $member in *'"isLearner":true'*) role=learner ;; *) role=voter ;; esac
    echo "$state $role"
  done
else
  list=$(in_container member list) || exit 1
  printf '%s\\n' "$list" | simple
fi
`;

const removeScript = `
endpoint=$1 hex=$2 decimal=$3
${etcdFunctions}
if command -v etcdctl >/dev/null 2>&1; then etcdctl $etcdctl_args member remove "$hex"
elif command -v curl >/dev/null 2>&1; then gateway remove "{\\"ID\\":\\"$decimal\\"}"
else in_container member remove "$hex"
fi
`;

export function etcdEndpoint(master: SpecNode): string {
  return `https://${formatHostPort(master.address, 2379)}`;
}

/** Removes a member by its id in hexadecimal, asked of the etcd of `master`. */
export function removeMemberArgv(master: SpecNode, memberId: string): readonly string[] {
  const decimal = BigInt(`0x${memberId}`).toString();
  return ['sh', '-c', removeScript, 'hairpin-etcd', etcdEndpoint(master), memberId, decimal];
}
