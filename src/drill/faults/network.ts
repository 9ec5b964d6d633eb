import { controlPlaneNodes } from '../../spec/spec.ts';
import { type Address, formatCidr } from '../../std/address.ts';
import { type FaultTarget, type NodeFault, runDir } from './on-nodes.ts';

/** No drill lasts so long; a node that nobody can reach any more heals itself. */
const healsItselfAfterS = 300;

/** What is dropped by a table of its own; nothing else on the node is touched. `$1` are its chains. */
const cut = (name: string) => `printf 'table inet %s\\ndelete table inet %s\\ntable inet %s {\\n%s\\n}\\n' \\
  hairpin_drill_${name} hairpin_drill_${name} hairpin_drill_${name} "$1" | nft -f -`;

const mend = (name: string) => `nft delete table inet hairpin_drill_${name} 2>/dev/null || :`;

type Hook = 'input' | 'output' | 'forward';

function chains(rules: (hook: Hook) => readonly string[]): string {
  return (['input', 'output', 'forward'] as const)
    .flatMap((hook) => [
      `  chain ${hook} {`,
      // After steering: what is led to a peer counts as dialling that peer.
      `    type filter hook ${hook} priority 10;`,
      ...rules(hook).map((line) => `    ${line}`),
      '  }',
    ])
    .join('\n');
}

function peersOf({ spec, node }: FaultTarget): readonly Address[] {
  return controlPlaneNodes(spec)
    .filter(({ name }) => name !== node.name)
    .flatMap(({ addresses }) => addresses);
}

const header = (a: Address) => (a.family === 4 ? 'ip' : 'ip6');

function fromPeers(cx: FaultTarget): string {
  const peers = peersOf(cx);
  return chains((hook) => [
    ...(hook === 'output' ? [] : peers.map((a) => `${header(a)} saddr ${a.text} drop`)),
    ...(hook === 'input' ? [] : peers.map((a) => `${header(a)} daddr ${a.text} drop`)),
  ]);
}

/**
 * Out: what goes to the endpoint. In: what comes to the apiserver's port from anybody who is no node and no pod, which are
 * health checks and clients from outside. What other nodes send through a balancer that keeps addresses cannot be told
 * from what they send themselves, so that goes on until the balancer ejects this node.
 */
function fromBalancer({ spec }: FaultTarget): string {
  const known = (family: 4 | 6) => [
    ...spec.nodes.flatMap(({ addresses }) => addresses.filter((a) => a.family === family).map(({ text }) => text)),
    ...[...spec.kubernetes.podSubnets, ...spec.kubernetes.serviceSubnets]
      .filter(({ base }) => base.family === family)
      .map(formatCidr),
  ];
  const port = spec.balancer?.backendPort ?? spec.apiServerPort;
  const families = [...new Set(spec.endpoint.addresses.map(({ family }) => family))];
  return chains((hook) =>
    hook === 'input'
      ? families.map((family) => {
          const ip = family === 4 ? 'ip' : 'ip6';
          return `iif != lo tcp dport ${port} ${ip} saddr != { ${known(family).join(', ')} } drop`;
        })
      : spec.endpoint.addresses.map((a) => `${header(a)} daddr ${a.text} drop`),
  );
}

/** Nothing of a cluster goes to that port, and healing does. */
function allButSsh(hook: Hook, port: number): readonly string[] {
  if (hook === 'forward') return ['drop'];
  return hook === 'input'
    ? [`iif != lo tcp dport != ${port} drop`, 'iif != lo meta l4proto != tcp drop']
    : [`oif != lo tcp sport != ${port} drop`, 'oif != lo meta l4proto != tcp drop'];
}

/** Rules that flush takes and nobody puts back (a CNI's masquerading) are put back by healing; tables that are back are left. */
const flush = `set -u
dir=${runDir}/ruleset
rm -rf "$dir"; mkdir -p "$dir"
nft list tables | while read -r _ family name; do nft list table "$family" "$name" >"$dir/$family@$name" 2>/dev/null; done
for kind in iptables ip6tables; do command -v $kind-save >/dev/null && $kind-save >"$dir/$kind.save" 2>/dev/null; done
nft flush ruleset`;

const unflush = `dir=${runDir}/ruleset
[ -d "$dir" ] || exit 0
for kind in iptables ip6tables; do
  [ ! -s "$dir/$kind.save" ] || $kind-restore <"$dir/$kind.save" 2>/dev/null
done
for file in "$dir"/*@*; do
  [ -e "$file" ] || continue
  name=\${file##*@} family=\${file##*/}; family=\${family%%@*}
  nft list table "$family" "$name" >/dev/null 2>&1 || nft -f "$file" 2>/dev/null
done
rm -rf "$dir"`;

/** A stranger is a keepalived that has the address, is sure of it and says so each second by gratuitous ARP. */
const takeVip = `set -eu
command -v keepalived >/dev/null || { echo 'there is no keepalived to play the stranger with' >&2; exit 66; }
device=$(ip -oneline address show to "$2" | awk '{ print $2; exit }')
mkdir -p ${runDir}
printf '%s\\n' 'vrrp_instance stranger {' '  state MASTER' "  interface $device" '  virtual_router_id 249' \\
  '  priority 255' '  advert_int 1' '  garp_master_refresh 1' "  virtual_ipaddress { $1 }" '}' >${runDir}/stranger.conf
systemd-run --quiet --collect --unit=hairpin-drill-stranger keepalived --dont-fork --vrrp \\
  --use-file=${runDir}/stranger.conf --pid=${runDir}/stranger.pid --vrrp_pid=${runDir}/stranger-vrrp.pid
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
  ip -oneline address show to "$1" | grep -q . && exit 0
  sleep 0.25
done
echo 'keepalived did not take the address' >&2; exit 1`;

const giveVipBack = `[ -e ${runDir}/stranger.conf ] || exit 0
systemctl stop hairpin-drill-stranger.service 2>/dev/null
ip -oneline address show to "$1" | while read -r _ device _ address _; do ip address del "$address" dev "$device"; done
rm -f ${runDir}/stranger*`;

const editHosts = `set -eu
! grep -q '# hairpin-drill$' /etc/hosts || exit 0
old=$(cat /etc/hosts)
{ printf '%s %s # hairpin-drill\\n' "$2" "$1"; printf '%s\\n' "$old"; } >/etc/hosts`;

const restoreHosts = `grep -q '# hairpin-drill$' /etc/hosts || exit 0
old=$(grep -v '# hairpin-drill$' /etc/hosts) || :
printf '%s\\n' "$old" >/etc/hosts`;

const vipOf = ({ spec }: FaultTarget): string => spec.endpoint.addresses[0]?.text ?? '';

/** Addresses for documentation (RFC 5737, RFC 3849): nobody is there. */
function nowhere({ family }: Address): string {
  return family === 4 ? '203.0.113.1' : '2001:db8::1';
}

export const networkFaults: readonly NodeFault[] = [
  {
    name: 'cut-from-peers',
    summary: 'packets from and to the other masters are dropped',
    aimedAt: 'master',
    takesMembers: 'one',
    would: (cx) => [
      `nft: drop from and to ${peersOf(cx)
        .map(({ text }) => text)
        .join(', ')}`,
    ],
    inject: (cx) => ({ text: cut('peers'), args: [fromPeers(cx)] }),
    heal: () => ({ text: mend('peers') }),
  },
  {
    name: 'cut-from-balancer',
    summary: 'packets to the endpoint, and to the apiserver from health checks and from outside, are dropped',
    aimedAt: 'master',
    takesMembers: 'none',
    unavailable: ({ spec }) =>
      spec.endpoint.addresses.length === 0 ? 'cluster.yaml does not say the addresses of its endpoint' : undefined,
    would: ({ spec }) => [
      `nft: drop to ${spec.endpoint.addresses.map(({ text }) => text).join(', ')}, and from outside to the apiserver`,
    ],
    inject: (cx) => ({ text: cut('balancer'), args: [fromBalancer(cx)] }),
    heal: () => ({ text: mend('balancer') }),
  },
  {
    name: 'apiserver-without-etcd',
    summary: 'packets from the apiserver to its etcd are dropped',
    aimedAt: 'master',
    takesMembers: 'none',
    would: () => ['nft: drop to port 2379 on lo'],
    inject: () => ({
      text: cut('etcd'),
      args: [chains((hook) => (hook === 'output' ? ['oif lo tcp dport 2379 drop'] : []))],
    }),
    heal: () => ({ text: mend('etcd') }),
  },
  {
    name: 'node-silent',
    summary: `all its packets but those of ssh are dropped; it heals itself after ${healsItselfAfterS} s at the latest`,
    aimedAt: 'node',
    takesMembers: 'one',
    would: () => ['nft: drop everything but lo and ssh'],
    inject: ({ node }) => ({
      text: `systemctl stop hairpin-drill-silent.timer 2>/dev/null
systemd-run --quiet --collect --on-active="$2" --unit=hairpin-drill-silent nft delete table inet hairpin_drill_silent
${cut('silent')}`,
      args: [chains((hook) => allButSsh(hook, node.ssh.port ?? 22)), `${healsItselfAfterS}s`],
    }),
    heal: () => ({ text: `systemctl stop hairpin-drill-silent.timer 2>/dev/null\n${mend('silent')}` }),
  },
  {
    name: 'rules-flushed',
    summary: 'nft flush ruleset',
    aimedAt: 'node',
    takesMembers: 'none',
    would: () => ['nft flush ruleset'],
    inject: () => ({ text: flush }),
    heal: () => ({ text: unflush }),
  },
  {
    name: 'conntrack-flushed',
    summary: 'conntrack --flush',
    aimedAt: 'node',
    takesMembers: 'none',
    would: () => ['conntrack --flush'],
    inject: () => ({ text: 'conntrack --flush' }),
    heal: () => ({ text: ':' }),
  },
  {
    name: 'vip-taken',
    summary: "a worker's keepalived takes the endpoint's address and says so by gratuitous ARP",
    aimedAt: 'worker',
    takesMembers: 'none',
    unavailable: ({ spec }) =>
      spec.endpoint.addresses[0]?.family === 4 ? undefined : 'the endpoint has no IPv4 address that is known',
    would: (cx) => [`keepalived with ${vipOf(cx)}, priority 255, gratuitous ARP each second`],
    inject: (cx) => ({ text: takeVip, args: [vipOf(cx), cx.node.address.text] }),
    heal: (cx) => ({ text: giveVipBack, args: [vipOf(cx)] }),
  },
  {
    name: 'hosts-edited',
    summary: "/etc/hosts says that the endpoint's name is an address where nobody is",
    aimedAt: 'node',
    takesMembers: 'none',
    unavailable: ({ spec }) => (spec.endpoint.kind === 'domain' ? undefined : 'the endpoint is an address, not a name'),
    would: ({ spec, node }) => [`/etc/hosts: ${nowhere(node.address)} ${spec.endpoint.host}, before everything else`],
    inject: ({ spec, node }) => ({ text: editHosts, args: [spec.endpoint.host, nowhere(node.address)] }),
    heal: () => ({ text: restoreHosts }),
  },
];
