import { OperatorError } from '../../errors/operator-error.ts';
import { archOfMachine } from '../../program/manifest.ts';
import { versionDirectory } from '../../render/agent/launcher.ts';
import { agentPaths } from '../../render/agent/paths.ts';
import { type Handler, mustEndWell } from '../handler.ts';
import { nodePaths } from '../on-node.ts';
import { receiveScript } from './bundle-scripts.ts';

// Progress is told, and a cut connection costs, at most this much.
const sliceBytes = 8 << 20;

const lookScript = `
if [ -e "$1/SHA256SUMS" ]; then echo there; else stat -c %s -- "$2" 2>/dev/null || echo 0; fi
uname -m
`;

/**
 * Nothing is used that is not what its checksum says. SHA256SUMS is what says that a version is whole, so the directory
 * gets its name last. Versions that are neither this one nor in force go.
 */
const unpackScript = `
set -eu
dir=$1 sum=$2 file=$3 versions=$4 launcher=$5
have=$(sha256sum <"$file")
if [ "\${have%% *}" != "$sum" ]; then rm -f -- "$file"; echo "the program did not arrive whole" >&2; exit 65; fi
rm -rf -- "$dir.new"
mkdir -p -m 755 -- "$dir.new"
tar -xzf "$file" -C "$dir.new" --no-same-owner
cd "$dir.new"
sha256sum --quiet --check SHA256SUMS >&2
chmod -R a+rX,go-w .
sync -f "$dir.new"
rm -rf -- "$dir"
mv -T -- "$dir.new" "$dir"
rm -f -- "$file"
rmdir -- "\${file%/*}" 2>/dev/null || :
if command -v restorecon >/dev/null 2>&1; then restorecon -RF -- "$versions" || :; fi
inforce=$(sed -n 's/^dir=//p' "$launcher" 2>/dev/null) || :
for old in "$versions"/*; do
  [ "$old" = "$dir" ] || [ "$old" = "$inforce" ] || rm -rf -- "$old"
done
LD_LIBRARY_PATH=$dir/lib "$dir/hairpin" --version >/dev/null || { rm -rf -- "$dir"; exit 66; }
`;

/**
 * Sends the program and unpacks it under its name. A killed transfer goes on where it stopped, and one that is finished is
 * not repeated. It is started once: one that does not run here is said now and not by a unit.
 */
export const installProgram: Handler<'install-program'> = async (step, cx) => {
  const dir = versionDirectory(step.program);
  const file = `${nodePaths.state}/program/${step.program}.tar.gz.part`;
  const seen = (await cx.node.probe(['sh', '-c', lookScript, 'hairpin-look', dir, file])).stdout.trim().split('\n');
  if (seen[0] === 'there') return 'was there already';
  const arch = archOfMachine[seen[1] ?? ''];
  if (arch === undefined) {
    throw new OperatorError('STEP_FAILED', `hairpin is not made for a machine that is ${seen[1]}`);
  }
  if (cx.program.id !== step.program) {
    throw new OperatorError('PLAN_CHANGED', `The plan wants hairpin ${step.program}, and this is ${cx.program.id}`, {
      hint: 'the source changed meanwhile; run the same command again',
    });
  }
  cx.progress('packing');
  const { bytes, sha256 } = await cx.program.archive(arch, { signal: cx.waiting });
  await cx.remember();
  const megabytes = (count: number) => Math.round(count / 1e6);
  const start = Number(seen[0]) > bytes.length ? 0 : Number(seen[0]) || 0;
  for (let offset = start; offset < bytes.length; offset += sliceBytes) {
    cx.waiting.throwIfAborted();
    cx.progress('sending, MB', megabytes(offset), megabytes(bytes.length));
    const argv = ['sh', '-c', receiveScript, 'hairpin-receive', file, String(offset)];
    const slice = bytes.subarray(offset, offset + sliceBytes);
    mustEndWell(await cx.node.change(argv, { stdin: slice, timeout: 10 * 60_000 }), 'Sending hairpin');
  }
  cx.progress('unpacking');
  const argv = ['sh', '-c', unpackScript, 'hairpin-unpack', dir, sha256, file, agentPaths.versions, agentPaths.program];
  await cx.mustChange(argv, 'Unpacking hairpin', { timeout: 5 * 60_000 });
  return `${megabytes(bytes.length)} MB sent`;
};
