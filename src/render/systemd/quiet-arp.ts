import type { WantedFile } from '../../strategy/strategy.ts';
import { writtenBy } from './unit.ts';

export const quietArpPath = '/etc/hairpin/quiet-arp.sh';

/**
 * Makes a NIC silent about addresses of scope host, and only about them: arp_ignore 3 ("do not reply for local addresses
 * configured with scope host"). 1 would still answer for an address on the same NIC, and 2 would stop answering
 * neighbours outside the node's subnet, which is how some clouds route. arp_announce 2 keeps such an address out of the
 * node's own requests. The old values are kept in /run and put back by `stop`.
 */
export function quietArpFile(because: string): WantedFile {
  return { path: quietArpPath, content: script, mode: 0o755, because };
}

const script = `#!/bin/sh
# ${writtenBy}
# quiet-arp.sh start|stop DEVICE: no ARP for addresses of scope host, which the balancer has too.
set -eu
verb="$1"
conf="/proc/sys/net/ipv4/conf/$2"
saved="/run/hairpin/arp.$2"
case "$verb" in
  start)
    mkdir -p /run/hairpin
    [ -e "$saved" ] || cat "$conf/arp_ignore" "$conf/arp_announce" > "$saved"
    [ "$(cat "$conf/arp_ignore")" -ge 3 ] || echo 3 > "$conf/arp_ignore"
    echo 2 > "$conf/arp_announce"
    ;;
  stop)
    [ -e "$saved" ] || exit 0
    { read -r ignore; read -r announce; } < "$saved"
    echo "$ignore" > "$conf/arp_ignore"
    echo "$announce" > "$conf/arp_announce"
    rm -f "$saved"
    ;;
esac
`;
