import { steerTable } from '../nftables/steer.ts';
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

/** Stops everything and takes steering out of the kernel. Flows that are steered end: this is for the end of steering only. */
export const withdrawAgent: readonly string[] = [
  'sh',
  '-c',
  `
systemctl disable --now ${[agentUnits.agent, agentUnits.mirror, agentUnits.podsSocket, agentUnits.pods, agentUnits.steerer].join(' ')} 2>/dev/null
for family in ip ip6; do nft delete table "$family" ${steerTable} 2>/dev/null; done
for family in -4 -6; do
  ip "$family" route show proto ${routeProtocol} 2>/dev/null | while read -r route; do ip "$family" route delete $route 2>/dev/null; done
done
rm -rf -- ${agentPaths.state} ${agentPaths.runtime} ${agentPaths.drainFile}
exit 0
`,
  'hairpin-withdraw',
];
