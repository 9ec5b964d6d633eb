import { controlPlaneNodes, type Spec, type SpecNode } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';

/** New connections to the endpoint from each node: enough that a third of them is not missed by chance (1 in 57 at random; never when it takes turns). */
export const endpointTries = 10;

/** Milliseconds. An apiserver without its etcd takes 2 s to say so; whoever says nothing for longer hangs. */
const limits = { connect: 1500, answer: 3000 } as const;

/** Lines of each log. */
const lines = 250;

/**
 * Tries, each a line `endpoint STATUS CONNECTED CURL` or `NODE STATUS CONNECTED CURL`: the HTTP status, the seconds to the
 * TCP connection, curl's exit code. All at once; the slowest decides how long it takes.
 */
export function dialScript(spec: Spec): { readonly script: string; readonly args: readonly string[] } {
  const endpoint = formatHostPort(spec.endpoint.host, spec.endpoint.port);
  const dials = controlPlaneNodes(spec).map(
    (master) => `${master.name}=${formatHostPort(master.address, spec.apiServerPort)}`,
  );
  return { script: dialling, args: [endpoint, dials.join(' ')] };
}

// One curl for all tries: a dozen of processes, each with a TLS library to start, took longer than the network. Tries of the
// same place get connections of their own, because HTTP/1.1 shares none that is busy and all begin at once. curl before
// 7.75 cannot say how each of them ended. A line is one write, and a short one: lines of different tries do not mix.
const dialling = `
endpoint=$1 masters=$2
version=$(curl --version 2>/dev/null) || { echo 'no curl on this node' >&2; exit 69; }
version=\${version#curl } major=\${version%%.*} rest=\${version#*.} minor=\${rest%%.*}
options="--silent --insecure --globoff --noproxy * --connect-timeout ${limits.connect / 1000} --max-time ${limits.answer / 1000}"
set -f
dial() {
  got=$(curl $options --output /dev/null --write-out '%{http_code} %{time_connect}' "https://$2/readyz" 2>/dev/null)
  echo "$1 $got $?"
}
# A second try where the first had no answer: one may be chance.
again() { case $1 in *' 000 '*) dial "$2" "$3" ;; esac; }
if [ "$major" -gt 7 ] || [ "$minor" -ge 75 ]; then
  set -- ; i=0
  while [ $i -lt ${endpointTries} ]; do set -- "$@" --output /dev/null "https://$endpoint/readyz"; i=$((i + 1)); done
  for one in $masters; do set -- "$@" --output /dev/null "https://\${one#*=}/readyz"; done
  curl $options --parallel --parallel-immediate --parallel-max 100 --http1.1 \\
    --write-out '%{urlnum} %{http_code} %{time_connect} %{exitcode}\\n' "$@" 2>/dev/null | {
    while read -r number got; do
      if [ "$number" -lt ${endpointTries} ]; then echo "endpoint $got"; continue; fi
      number=$((number - ${endpointTries}))
      for one in $masters; do
        if [ $number = 0 ]; then echo "\${one%%=*} $got"; again "x $got" "\${one%%=*}" "\${one#*=}" & fi
        number=$((number - 1))
      done
    done
    wait
  }
  exit 0
fi
i=0
while [ $i -lt ${endpointTries} ]; do dial endpoint "$endpoint" & i=$((i + 1)); done
for one in $masters; do
  { got=$(dial "\${one%%=*}" "\${one#*=}"); echo "$got"; again "$got" "\${one%%=*}" "\${one#*=}"; } &
done
wait
`;

/**
 * One command for everything else that a diagnosis wants of a node beside facts: files and logs. Reads only. Prints
 * sections as `@NAME ARGUMENTS`; content is indented by one space so that nothing in it can look like a section.
 */
export function lookScript(spec: Spec, node: SpecNode): { readonly script: string; readonly args: readonly string[] } {
  const name = spec.endpoint.kind === 'domain' ? spec.endpoint.domain : '';
  return { script: looking, args: [name, node.address.text] };
}

const looking = `
name=$1 own=$2
show() { sed 's/^/ /'; }

echo "@ownhosts"
[ -z "$name" ] || awk -v name="$name" '!/^#/ { for (i = 2; i <= NF; i++) if ($i == name) print " " $1 }' /etc/hosts

if [ -n "$name" ]; then
  for file in /var/lib/kubelet/pods/*/etc-hosts; do
    [ -r "$file" ] && grep -q 'host network' "$file" || continue
    uid=\${file#/var/lib/kubelet/pods/}; uid=\${uid%/etc-hosts}
    for pod in /var/log/pods/*_"$uid"; do
      [ -d "$pod" ] || continue
      echo "@podhosts \${pod##*/}"
      awk -v name="$name" '!/^#/ { for (i = 2; i <= NF; i++) if ($i == name) print " " $1 }' "$file"
    done
  done
fi

for file in /etc/keepalived/keepalived.conf /etc/hairpin/keepalived.conf; do
  [ -r "$file" ] || continue
  echo "@keepalived $file"
  grep -v auth_pass "$file" | show
done

echo "@kubelet"
grep -hE '^(cgroupDriver|failSwapOn):' /var/lib/kubelet/config.yaml 2>/dev/null | show
echo "@containerd"
grep -hE '^[[:space:]]*SystemdCgroup[[:space:]]*=' /etc/containerd/config.toml /etc/containerd/conf.d/*.toml 2>/dev/null | show
echo "@cni"
ls /etc/cni/net.d 2>/dev/null | grep -E '\\.(conf|conflist|json)$' | show

echo "@drops"
if command -v nft >/dev/null 2>&1; then
  timeout 2 nft -t list ruleset 2>/dev/null | awk '
    /^table /            { where = $2 " " $3; next }
    /^\\t(chain|set|map) / { inner = $2; next }
    where ~ / hairpin$/  { next }
    /(^|[ \\t])(drop|reject)/ && (/dport|sport/ || /vrrp|protocol 112|l4proto 112|nexthdr 112/) { sub(/^[ \\t]+/, ""); print " " where " " inner ": " substr($0, 1, 300) }' | head -n 40
fi
for v in '' 6; do
  [ -s "/proc/net/ip\${v}_tables_names" ] || continue
  save=$(command -v "ip\${v}tables-legacy-save") || continue
  timeout 2 "$save" | grep -E -- '-j (DROP|REJECT)' | grep -E -- '--dports?|-p (112|vrrp)' | head -n 20 | show
done

# The kernel keeps a refused connection for ten seconds.
echo "@refused"
if command -v conntrack >/dev/null 2>&1; then
  timeout 1 conntrack -L -p tcp --orig-dst "$own" --state CLOSE 2>/dev/null |
    sed -nE 's/.* src=([^ ]+) dst=[^ ]+ sport=[0-9]+ dport=([0-9]+) .*src=.*/ \\1 \\2/p' | sort -u | head -n 40
fi

# Asking for a unit that is not there takes as long as for one that is.
journal() {
  [ -e "/etc/systemd/system/$3" ] || [ -e "/usr/lib/systemd/system/$3" ] || [ -e "/lib/systemd/system/$3" ] || return 0
  echo "@log $1 $2"
  timeout 2 journalctl --no-pager --quiet --output short-iso-precise --since "-$minutes min" --lines ${lines} --unit "$3" 2>/dev/null | show
}
minutes=2
if command -v journalctl >/dev/null 2>&1; then
  journal kubelet kubelet.service kubelet.service
  journal containerd containerd.service containerd.service
  for unit in hairpin-agent hairpin-steerer hairpin-steer; do journal agent $unit.service $unit.service; done
  for unit in haproxy hairpin-haproxy; do journal haproxy $unit.service $unit.service; done
  for unit in keepalived hairpin-keepalived; do journal keepalived $unit.service $unit.service; done
fi
for dir in /var/log/pods/kube-system_*/*; do
  [ -d "$dir" ] || continue
  file=$(ls -t "$dir"/*.log 2>/dev/null | head -n 1)
  [ -n "$file" ] || continue
  echo "@log \${dir##*/} $file"
  tail -n ${lines} "$file" | tail -c 65536 | show
done
for file in /var/log/kubeadm*.log /root/kubeadm*.log; do
  [ -r "$file" ] || continue
  [ -n "$(find "$file" -mmin -60 2>/dev/null)" ] || continue
  echo "@log kubeadm $file"
  tail -n ${lines} "$file" | show
done

:
`;
