import { createHash } from 'node:crypto';
import { type Handler, mustEndWell } from '../handler.ts';
import { nodePaths } from '../on-node.ts';

// A bundle is a tar of `root/` (files as they go on the node) and `images/` (docker archives). It is unpacked beside the
// node's other state under the hash of its content, so that a killed transfer starts anew and a finished one is kept.
const unpackScript = `
dir=$1
[ -d "$dir" ] && { cat >/dev/null; echo kept; exit 0; }
mkdir -p -m 700 -- "\${dir%/*}"
rm -rf -- "$dir.part"
mkdir -- "$dir.part" && tar -x -f - -C "$dir.part" && sync -f "$dir.part" && mv -- "$dir.part" "$dir"
`;

// Each file is written as NodePort.writeFile would: a backup of what was there and is not ours, then rename; and the
// manifest knows it, so that reset takes it back.
const installScript = `
set -eu
cd "$1/root"
manifest=$2
count=0
find . -type f -o -type l | while read -r file; do
  target=/\${file#./}
  if [ -L "$file" ]; then
    mkdir -p -- "\${target%/*}"
    [ -e "$target" ] || cp -P -- "$file" "$target"
    continue
  fi
  sum=$(sha256sum <"$file"); sum=\${sum%% *}
  if [ -e "$target" ]; then
    there=$(sha256sum <"$target"); there=\${there%% *}
    [ "$there" = "$sum" ] && continue
    if ! grep -qsxF -- "$there  $target" "$manifest" && [ ! -e "$target.hairpin-backup" ]; then
      cp -p -- "$target" "$target.hairpin-backup"
    fi
  fi
  grep -qsxF -- "$sum  $target" "$manifest" || printf '%s  %s\\n' "$sum" "$target" >>"$manifest"
  mkdir -p -- "\${target%/*}"
  cp -p -- "$file" "$target.hairpin-new"
  chown root:root "$target.hairpin-new"
  mv -f -- "$target.hairpin-new" "$target"
  echo "$target"
done
`;

const imagesScript = `
for file in "$1"/images/*; do
  [ -e "$file" ] || continue
  if [ -z "\${local+x}" ]; then
    if ctr images import --help 2>&1 | grep -q -- --local; then local=--local; else local=; fi
  fi
  ctr --namespace k8s.io images import $local "$file" >/dev/null || exit 1
  echo "\${file##*/}"
done
`;

function directoryOf(bundle: Uint8Array): string {
  return `${nodePaths.state}/bundles/${createHash('sha256').update(bundle).digest('hex').slice(0, 16)}`;
}

export const installBundle: Handler<'install-bundle'> = async (step, cx) => {
  const bundle = await cx.readLocal(step.path);
  const dir = directoryOf(bundle);
  cx.progress(`sending ${Math.round(bundle.length / 1e6)} MB`);
  const unpacked = await cx.change(['sh', '-c', unpackScript, 'hairpin-bundle', dir], {
    stdin: (await cx.node.probe(['test', '-d', dir])).exitCode === 0 ? '' : bundle,
    timeout: 30 * 60_000,
  });
  mustEndWell(unpacked, `Unpacking ${step.path}`);
  const argv = ['sh', '-c', installScript, 'hairpin-install', dir, nodePaths.written];
  let files = 0;
  const installed = await cx.node.change(argv, {
    timeout: 10 * 60_000,
    onLine: (_stream, line) => {
      files += 1;
      cx.progress(line, files);
    },
  });
  mustEndWell(installed, `Installing ${step.path}`);
  return files === 0 ? 'all files were there already' : `${files} files`;
};

export const importImages: Handler<'import-images'> = async (step, cx) => {
  const dir = directoryOf(await cx.readLocal(step.path));
  let count = 0;
  await cx.mustChange(['sh', '-c', imagesScript, 'hairpin-images', dir], `Importing images of ${step.path}`, {
    timeout: 30 * 60_000,
    onLine: (_stream, line) => {
      count += 1;
      cx.progress(line, count);
    },
  });
  return `${count} archives`;
};
