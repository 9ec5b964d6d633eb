#!/bin/sh
# Starts a containerd of its own on an empty directory and imports images into it.
#
# usage: fill-store.sh BIN DIR IMAGE.tar…      leaves DIR/store
set -eu
bin=$1 dir=$2
shift 2
socket=$dir/run/containerd.sock
mkdir -p "$dir/store" "$dir/run"
cat > "$dir/config.toml" <<TOML
version = 3
root = "$dir/store"
state = "$dir/run"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.cri.v1.images", "io.containerd.cri.v1.runtime",
  "io.containerd.nri.v1.nri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.blockfile", "io.containerd.snapshotter.v1.erofs"]
[grpc]
address = "$socket"
[ttrpc]
address = "$dir/run/ttrpc.sock"
TOML
"$bin/containerd" --config "$dir/config.toml" >"$dir/containerd.log" 2>&1 &
daemon=$!
tries=0
until "$bin/ctr" --address "$socket" version >/dev/null 2>&1; do
  tries=$((tries + 1))
  if [ $tries -gt 100 ] || ! kill -0 $daemon 2>/dev/null; then
    echo "containerd did not start:" >&2
    tail -n 5 "$dir/containerd.log" >&2
    exit 1
  fi
  sleep 0.1
done
for image; do
  "$bin/ctr" --address "$socket" --namespace k8s.io images import --local=true --snapshotter overlayfs "$image" >/dev/null
  name=${image##*/}
  echo "imported ${name%.tar}"
done
# Without this the CRI would not see them: it lists images by this label.
"$bin/ctr" --address "$socket" --namespace k8s.io images ls -q | while read -r ref; do
  "$bin/ctr" --address "$socket" --namespace k8s.io images label "$ref" io.cri-containerd.image=managed >/dev/null
done
kill $daemon
wait $daemon || true
