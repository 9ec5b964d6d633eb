import { keepUnitState } from './unit.ts';

/** One slice of the archive at its place: a cut connection leaves a file that is continued. */
export const receiveScript = `
set -eu
file=$1 offset=$2
umask 077
mkdir -p -- "\${file%/*}"
[ "$offset" != 0 ] || : >"$file"
truncate -s "$offset" -- "$file"
cat >>"$file"
`;

/** Nothing is unpacked that is not what was sent, and nothing is used that is not what its checksum says. */
export const unpackScript = `
set -eu
dir=$1 sum=$2 file=$1.part
[ ! -d "$dir" ] || exit 0
have=$(sha256sum <"$file")
if [ "\${have%% *}" != "$sum" ]; then rm -f -- "$file"; echo "the bundle did not arrive whole" >&2; exit 65; fi
rm -rf -- "$dir.new"
mkdir -p -m 700 -- "$dir.new"
tar -xzf "$file" -C "$dir.new" --no-same-owner
cd "$dir.new"
sha256sum --quiet --check SHA256SUMS >&2
sync -f "$dir.new"
mv -T -- "$dir.new" "$dir"
rm -f -- "$file"
`;

/**
 * Packages that are missing, then files, each as NodePort.writeFile would: a backup of what was there and is not ours, then
 * rename; the manifest knows them, so that reset takes them back. Directories and packages are noted for the same reason.
 */
export const installScript = `${keepUnitState}
set -eu
dir=$1 state=$2 suite=$3 uninstall=$4
cd "$dir"
missing=
for deb in packages/*.deb; do
  [ -e "$deb" ] || continue
  name=\${deb#packages/}; name=\${name%%_*}
  status=$(dpkg-query -W -f '\${db:Status-Status}' "$name" 2>/dev/null) || status=
  [ "$status" = installed ] || missing="$missing $name"
done
printf '%s' "$uninstall" >"$state/uninstall-bundle"
if [ -n "$missing" ]; then
  here=$(. /etc/os-release; echo "\${VERSION_CODENAME:-}")
  if [ "$here" != "$suite" ]; then
    echo "the bundle's packages are of $suite and this is \${here:-no Debian}; install these by hand:$missing" >&2
    exit 66
  fi
  debs=
  for name in $missing; do
    debs="$debs packages/$name"_*.deb
    grep -qsxF -- "$name" "$state/packages" || echo "$name" >>"$state/packages"
  done
  DEBIAN_FRONTEND=noninteractive dpkg --install --force-confdef --force-confold $debs >&2
  for name in $missing; do echo "$name"; done
fi
for unit in containerd.service kubelet.service; do keep_unit "$unit" "$state/units"; done
note_directory() {
  parent=$1
  while [ ! -d "$parent" ]; do
    grep -qsxF -- "$parent" "$state/directories" || echo "$parent" >>"$state/directories"
    parent=\${parent%/*}
  done
}
# containerd makes these when it starts.
note_directory /opt/containerd/bin
note_directory /opt/containerd/lib
(cd files && find . -type f) | while read -r file; do
  target=/\${file#./} from=files/\${file#./}
  note_directory "\${target%/*}"
  sum=$(sha256sum <"$from"); sum=\${sum%% *}
  grep -qsxF -- "$sum  $target" "$state/written" || printf '%s  %s\\n' "$sum" "$target" >"$state/line"
  if [ -e "$target" ]; then
    there=$(sha256sum <"$target"); there=\${there%% *}
    if [ "$there" = "$sum" ]; then rm -f "$state/line"; continue; fi
    if ! grep -qsxF -- "$there  $target" "$state/written" && [ ! -e "$target.hairpin-backup" ]; then
      cp -p -- "$target" "$target.hairpin-backup.part"
      mv -fT -- "$target.hairpin-backup.part" "$target.hairpin-backup"
    fi
  fi
  [ ! -e "$state/line" ] || { cat "$state/line" >>"$state/written"; rm -f "$state/line"; }
  mkdir -p -- "\${target%/*}"
  cp -- "$from" "$target.hairpin-new"
  chmod "$(stat -c %a "$from")" "$target.hairpin-new"
  chown root:root "$target.hairpin-new"
  mv -fT -- "$target.hairpin-new" "$target"
  echo "$target"
done
for module in overlay br_netfilter; do modprobe "$module" 2>/dev/null || :; done
sysctl --quiet --load /etc/sysctl.d/90-hairpin-kubernetes.conf >&2 || :
systemctl daemon-reload
systemctl enable containerd.service kubelet.service >&2
systemctl restart containerd.service
`;

/** Run by a reset, after kubeadm's: what was not there before is stopped, and packages that came with us go. */
export const uninstallScript = `state=/var/lib/hairpin
for unit in kubelet.service containerd.service; do
  if grep -qsE "^$unit (absent|not-found|disabled) " "$state/units"; then systemctl disable --now "$unit" 2>/dev/null; fi
done
if [ -s "$state/packages" ]; then
  DEBIAN_FRONTEND=noninteractive dpkg --purge $(cat "$state/packages") >&2 && rm -f "$state/packages"
fi
exit 0
`;

/** Prints each archive as it is there; the unpacked bundle goes when all of them are. */
export const imagesScript = `
set -eu
dir=$1
tries=0
until ctr version >/dev/null 2>&1; do
  tries=$((tries + 1))
  [ "$tries" -lt 150 ] || { echo "containerd does not answer" >&2; exit 69; }
  sleep 0.2
done
local=
if ctr images import --help 2>&1 | grep -q -- --local; then local=--local; fi
for file in "$dir"/images/*; do
  [ -e "$file" ] || continue
  ctr --namespace k8s.io images import $local "$file" >/dev/null
  echo "\${file##*/}"
done
rm -rf -- "$dir"
`;

export const imagesThereScript = 'ctr --namespace k8s.io images list --quiet 2>/dev/null || :';
