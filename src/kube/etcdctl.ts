import type { SpecNode } from '../spec/spec.ts';
import { formatHostPort } from '../std/address.ts';

/**
 * sh that runs etcdctl against the etcd of this master: the program of the node where there is one, else the one in the
 * etcd container. `$1` is `https://ADDRESS:2379`, the rest are etcdctl's arguments.
 */
export const etcdctlScript = `
endpoint=$1; shift
pki=/etc/kubernetes/pki/etcd
set -- --endpoints "$endpoint" --cacert $pki/ca.crt --cert $pki/server.crt --key $pki/server.key --command-timeout 5s "$@"
ETCDCTL_API=3; export ETCDCTL_API
if command -v etcdctl >/dev/null 2>&1; then
  exec etcdctl "$@"
fi
if command -v crictl >/dev/null 2>&1; then
  id=$(crictl ps --quiet --state Running --name '^etcd$' 2>/dev/null | head -n 1)
  if [ -n "$id" ]; then exec crictl exec "$id" etcdctl "$@"; fi
fi
if command -v ctr >/dev/null 2>&1; then
  for id in $(ctr --namespace k8s.io containers list --quiet 'labels."io.kubernetes.container.name"==etcd'); do
    ctr --namespace k8s.io tasks list | grep -q "^$id .*RUNNING" || continue
    exec ctr --namespace k8s.io tasks exec --exec-id "hairpin-$$" "$id" etcdctl "$@"
  done
fi
echo "no running etcd and no etcdctl on this node" >&2
exit 69
`;

export function etcdEndpoint(master: SpecNode): string {
  return `https://${formatHostPort(master.address, 2379)}`;
}

export function etcdctlArgv(master: SpecNode, args: readonly string[]): readonly string[] {
  return ['sh', '-c', etcdctlScript, 'hairpin-etcdctl', etcdEndpoint(master), ...args];
}

export interface EtcdMember {
  /** Hexadecimal, as etcdctl takes it. */
  readonly id: string;
  readonly started: boolean;
  /** Empty until the member has started for the first time. */
  readonly name: string;
  readonly peerUrls: readonly string[];
  readonly learner: boolean;
}

/** Reads `etcdctl member list` (simple format: `ID, STATUS, NAME, PEER URLS, CLIENT URLS, IS LEARNER`). */
export function parseMembers(text: string): readonly EtcdMember[] {
  return text.split('\n').flatMap((line): EtcdMember[] => {
    const fields = line.split(', ');
    const id = fields[0]?.trim() ?? '';
    if (fields.length < 5 || !/^[0-9a-f]+$/.test(id)) return [];
    return [
      {
        id,
        started: fields[1] === 'started',
        name: fields[2] ?? '',
        peerUrls: (fields[3] ?? '').split(',').filter((url) => url !== ''),
        learner: fields.at(-1)?.trim() === 'true',
      },
    ];
  });
}
