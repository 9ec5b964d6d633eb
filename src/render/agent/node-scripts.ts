import { renderWithdrawal, steerTable } from '../nftables/steer.ts';
import { agentPaths, agentUnits, agentUser } from './paths.ts';

/** Routes to the endpoint that are ours have this protocol number (`ip route … proto 117`). */
export const routeProtocol = 117;

/**
 * Makes the system user, and keeps what /etc/passwd- and its like were before: making and deleting a user rewrites those
 * too, and a reset gives them back where nobody else has made or deleted one meanwhile.
 */
export const makeUser: readonly string[] = [
  'sh',
  '-c',
  `
set -eu
id -u "$1" >/dev/null 2>&1 && exit 0
kept=/var/lib/hairpin/users
if [ ! -d "$kept" ]; then
  umask 077
  mkdir -p -- "$kept.new"
  for file in passwd group shadow gshadow; do
    [ ! -e "/etc/$file-" ] || cp -p -- "/etc/$file-" "$kept.new/"
    [ ! -e "/etc/$file" ] || sha256sum <"/etc/$file" >"$kept.new/$file.sum"
  done
  [ ! -e /etc/.pwd.lock ] || : >"$kept.new/lock"
  mv -T -- "$kept.new" "$kept"
fi
useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin -- "$1"
`,
  'hairpin-user',
  agentUser,
];

export const removeUser: readonly string[] = [
  'sh',
  '-c',
  `
kept=/var/lib/hairpin/users
[ -d "$kept" ] || exit 0
userdel -- "$1" 2>/dev/null
groupdel -- "$1" 2>/dev/null
same=yes
for file in passwd group shadow gshadow; do
  [ -e "$kept/$file.sum" ] || continue
  [ "$(sha256sum <"/etc/$file")" = "$(cat "$kept/$file.sum")" ] || same=no
done
if [ "$same" = yes ]; then
  for file in passwd group shadow gshadow; do
    if [ -e "$kept/$file-" ]; then cp -p -- "$kept/$file-" "/etc/$file-"; else rm -f -- "/etc/$file-"; fi
  done
  [ -e "$kept/lock" ] || rm -f /etc/.pwd.lock
fi
rm -rf -- "$kept"
`,
  'hairpin-user',
  agentUser,
];

// The program on the node knows which flows live. Where none can run (an undo that was interrupted deleted it, or it is of
// a version without the verb), nft gets the same rules, and the tables stay.
const withdrawScript = `
program=$1 versions=$2 member=$3
shift 3
systemctl disable --now ${[agentUnits.agent, agentUnits.mirrorSocket, agentUnits.mirror, agentUnits.podsSocket, agentUnits.pods, agentUnits.steerer].join(' ')} 2>/dev/null
withdrawn=
for each in "$program" "$versions"/*/hairpin; do
  [ -x "$each" ] || continue
  said=$(LD_LIBRARY_PATH=\${each%/*}/lib "$each" agent withdraw 2>/dev/null) || continue
  withdrawn=yes
  break
done
if [ -z "$withdrawn" ]; then
  said=
  for family in ip ip6; do
    nft list table "$family" ${steerTable} >/dev/null 2>&1 || continue
    case $family in ip) rules='${renderWithdrawal(4)}' ;; *) rules='${renderWithdrawal(6)}' ;; esac
    printf '%s' "$rules" | nft -f - 2>/dev/null
    said="$said
the steering table $family ${steerTable} steers nothing and stays: hairpin's program does not run here any more; it goes with the next reboot, or with: nft delete table $family ${steerTable}"
  done
  for family in -4 -6; do
    ip "$family" route show proto ${routeProtocol} 2>/dev/null | while read -r route; do ip "$family" route delete $route 2>/dev/null; done
  done
fi
# A node that is in no cluster (any more) has no flow that is worth a table.
if [ -e "$member" ]; then
  printf '%s\\n' "$said" | grep -F ' stays'
else
  for family in ip ip6; do nft delete table "$family" ${steerTable} 2>/dev/null; done
fi
rm -rf -- "$@"
exit 0
`;

/**
 * Stops everything and takes steering out of the kernel without cutting a flow of a node that stays in its cluster: its
 * table stays, without effect, while a flow needs its translation. Prints a line for each table that stays.
 */
export const withdrawAgent: readonly string[] = [
  'sh',
  '-c',
  withdrawScript,
  'hairpin-withdraw',
  agentPaths.program,
  agentPaths.versions,
  '/etc/kubernetes/kubelet.conf',
  agentPaths.state,
  agentPaths.runtime,
  agentPaths.drainFile,
];
