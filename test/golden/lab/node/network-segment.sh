#!/bin/sh
# Makes the network of m1 anew. Run when the machine is off: network.sh [off]
[ ! -e /run/netns/hp-gold-m1 ] || exec 9< /run/netns/hp-gold-m1
ip netns del hp-gold-m1 2>/dev/null
set -e
ip netns add hp-gold-m1
if ! nsenter --net=/proc/$$/fd/9 -- ip link set dev eth0 netns hp-gold-m1 2>/dev/null; then
ip -n hp-gold-fabric link del dev m1 2>/dev/null || true
ip -n hp-gold-fabric -batch - <<'END0'
link add name m1 type veth peer name eth0 netns hp-gold-m1
END0
fi
exec 9<&-
nsenter --net=/run/netns/hp-gold-m1 -- sysctl -q -w net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 net.ipv4.conf.all.accept_redirects=0 net.ipv4.conf.default.accept_redirects=0 net.ipv4.conf.all.accept_local=0 net.ipv4.conf.default.accept_local=0 net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.default.arp_ignore=1 net.ipv4.conf.all.arp_announce=2 net.ipv4.conf.default.arp_announce=2
ip -n hp-gold-fabric -batch - <<'END1'
link set dev m1 master seg up
route replace 10.244.0.0/24 via 172.16.104.54 dev seg onlink
END1
ip -n hp-gold-m1 -batch - <<'END2'
link set dev lo up
address add 172.16.105.26/32 dev lo
link set dev eth0 up
address add 172.16.104.54/23 dev eth0
route add default via 172.16.104.1 dev eth0 onlink
END2
if [ $# = 1 ]; then
nsenter --net=/run/netns/hp-gold-m1 -- nft -f - <<'END0'
table inet lab_off {
  chain prerouting {
    type filter hook prerouting priority -400; policy drop;
  }
}
table inet lab_off {
  chain output {
    type filter hook output priority -400; policy drop;
  }
}
table arp lab_off {
  chain input {
    type filter hook input priority -400; policy drop;
  }
}
table arp lab_off {
  chain output {
    type filter hook output priority -400; policy drop;
  }
}
END0
fi
