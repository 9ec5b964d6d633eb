import type { Probe } from '../probe.ts';
import type { Etcd } from '../types.ts';

/**
 * Members as the node's own etcd knows them, by whatever the node has: etcdctl, curl or openssl (through etcd's JSON
 * gateway). `linearizable: false`: a member without quorum answers as well.
 */
export const etcd: Probe<Etcd> = {
  script: () => `
pki=/etc/kubernetes/pki/etcd
[ -r $pki/ca.crt ] || { echo 'no etcd of kubeadm on this node'; exit 1; }
cert=$pki/healthcheck-client
[ -r $cert.crt ] || cert=$pki/peer
[ -r $cert.crt ] || { echo 'no client certificate for etcd'; exit 1; }
# kubeadm has it listen on the loopback of the family that the node's own address has.
case $(ss -H -lnt 'sport = :2379') in
  '') echo 'etcd does not listen on 2379'; exit 1 ;;
  *127.0.0.1:2379*) at=127.0.0.1 ;;
  *'[::1]:2379'*) at='[::1]' ;;
  *) at=127.0.0.1 ;;
esac
if command -v etcdctl >/dev/null; then
  ETCDCTL_API=3 timeout 3 etcdctl --endpoints https://$at:2379 --cacert $pki/ca.crt --cert $cert.crt --key $cert.key --command-timeout 2s member list --consistency=s -w json && exit 0
  ETCDCTL_API=3 timeout 3 etcdctl --endpoints https://$at:2379 --cacert $pki/ca.crt --cert $cert.crt --key $cert.key --command-timeout 2s member list -w json && exit 0
fi
body='{"linearizable":false}'
if command -v curl >/dev/null; then
  timeout 3 curl -sS --globoff --noproxy '*' --cacert $pki/ca.crt --cert $cert.crt --key $cert.key -d "$body" https://$at:2379/v3/cluster/member/list && exit 0
elif command -v openssl >/dev/null; then
  answer=$(printf 'POST /v3/cluster/member/list HTTP/1.0\\r\\nContent-Length: %s\\r\\n\\r\\n%s' "\${#body}" "$body" |
    timeout 3 openssl s_client -quiet -connect $at:2379 -CAfile $pki/ca.crt -cert $cert.crt -key $cert.key)
  case $answer in *'"members"'*) printf '%s' "{\${answer#*\\{}"; exit 0 ;; esac
else
  echo 'neither etcdctl nor curl nor openssl is on this node'; exit 1
fi
echo 'etcd does not answer'
exit 1`,

  parse(text) {
    // Ids are 64 bits wide: as JSON numbers they would lose their last digits.
    const exact = text.replaceAll(/"(ID|cluster_id|member_id|raft_term)":\s*(\d+)/g, '"$1":"$2"');
    const answer = JSON.parse(exact.slice(exact.indexOf('{'))) as {
      header?: { cluster_id?: string };
      members?: { ID?: string; name?: string; peerURLs?: string[]; clientURLs?: string[]; isLearner?: boolean }[];
    };
    if (answer.members === undefined) throw new SyntaxError('no members in the answer of etcd');
    return {
      clusterId: answer.header?.cluster_id === undefined ? undefined : hex(answer.header.cluster_id),
      members: answer.members.map((member) => ({
        id: hex(member.ID ?? '0'),
        name: member.name ?? '',
        peerUrls: member.peerURLs ?? [],
        clientUrls: member.clientURLs ?? [],
        learner: member.isLearner === true,
      })),
    };
  },
};

function hex(decimal: string): string {
  return BigInt(decimal).toString(16);
}
