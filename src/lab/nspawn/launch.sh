#!/bin/sh
# Becomes the node. Runs in a mount namespace of its own, so that every mount is gone when the node is, however it ends.
#
# usage: launch.sh DIR LOWER NETNS HOSTNAME
set -eu
dir=$1 lower=$2 netns=$3 hostname=$4

mount -t overlay overlay -o "lowerdir=$lower,upperdir=$dir/upper,workdir=$dir/work" "$dir/root"
if [ -e "$dir/etcd.img" ]; then
  mount -o loop "$dir/etcd.img" "$dir/etcd-disk"
  mkdir -p "$dir/etcd-disk/data"
  chmod 700 "$dir/etcd-disk/data"
  etcd=$dir/etcd-disk/data
else
  etcd=$dir/etcd
fi
# nspawn leaves directories of machines there, which would be the host's.
mkdir -p /run/systemd
mount -t tmpfs tmpfs /run/systemd

export SYSTEMD_NSPAWN_API_VFS_WRITABLE=network
# Real directories over /var/lib/…: containerd's snapshots are overlays, and an overlay cannot be the upper layer of another.
# shellcheck disable=SC2046 # one word or none
exec systemd-nspawn --quiet --directory="$dir/root" --machine="$hostname" --hostname="$hostname" \
  --register=no --keep-unit --network-namespace-path="/run/netns/$netns" \
  --capability=all --system-call-filter=@known \
  --resolv-conf=off --timezone=off --link-journal=no --kill-signal=SIGRTMIN+3 \
  --bind=/dev/kmsg $([ ! -d /lib/modules ] || echo --bind-ro=/lib/modules) \
  --bind="$dir/containerd:/var/lib/containerd" \
  --bind="$dir/kubelet:/var/lib/kubelet" \
  --bind="$etcd:/var/lib/etcd" \
  --boot --console=pipe
