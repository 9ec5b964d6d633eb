#!/bin/sh
# Keeps one node of a lab: gives it a network of its own and fresh cgroups, boots it, and boots it again when it
# reboots. Ends when the node is powered off. Runs in the lab's cgroup; the node runs in cgroups of its own below.
#
# usage: keeper.sh DIR LOWER NETNS HOSTNAME fresh|used CGROUP…
#   fresh: the network was made a moment ago and need not be made again
dir=$1 lower=$2 netns=$3 hostname=$4 network=$5
shift 5
here=$(dirname "$0")

while :; do
  for cgroup; do
    # The kubelet looks for the containers of cgroups that it finds: left ones delay static pods by 90 s.
    [ ! -d "$cgroup" ] || find "$cgroup" -depth -type d -exec rmdir {} + 2>/dev/null
    mkdir -p "$cgroup" || exit 125
  done
  [ "$network" = fresh ] || sh "$dir/network.sh" || exit 1
  network=used
  (
    for cgroup; do echo 0 > "$cgroup/cgroup.procs" || exit 125; done
    exec unshare --mount --propagation private sh "$here/launch.sh" "$dir" "$lower" "$netns" "$hostname"
  ) </dev/null
  code=$?
  echo "node $hostname ended with $code"
  # What nspawn says when the node rebooted.
  [ "$code" = 133 ] || break
done
# It powered itself off: to the others it is as silent as one whose power was cut.
sh "$dir/network.sh" off
exit "$code"
