import { OperatorError } from '../errors/operator-error.ts';
import type { NodePort } from '../node/port.ts';
import { archOfMachine } from '../program/manifest.ts';
import type { ProgramSource } from '../program/source.ts';
import { mustEndWell } from './handler.ts';
import { receiveScript } from './handlers/bundle-scripts.ts';

export interface SendProgram {
  readonly node: NodePort;
  readonly program: ProgramSource;
  /** Where versions are, one directory each, and the one that this is to have. */
  readonly versions: string;
  readonly dir: string;
  /** The file it arrives in. */
  readonly file: string;
  /** Says which version is in force: that one stays. */
  readonly launcher: string;
  readonly signal: AbortSignal;
  readonly progress: (detail: string, done?: number, total?: number) => void;
  /** Called once it is known that something will change. */
  readonly before: () => Promise<void>;
}

// Progress is told, and a cut connection costs, at most this much.
const sliceBytes = 8 << 20;

const lookScript = `
if [ -e "$1/SHA256SUMS" ]; then echo there; else stat -c %s -- "$2" 2>/dev/null || echo 0; fi
uname -m
`;

/**
 * Nothing is unpacked that is not what its checksum says; openssl reckons it five times as fast. SHA256SUMS is what says
 * that a version is whole, so the directory gets its name last. All of it gives way to whatever else the node does.
 * Versions that are neither this one nor in force go.
 */
const unpackScript = `
set -eu
dir=$1 sum=$2 file=$3 versions=$4 launcher=$5
renice -n 19 $$ >/dev/null 2>&1 || :
have=$(openssl dgst -sha256 -r "$file" 2>/dev/null || sha256sum <"$file")
if [ "\${have%% *}" != "$sum" ]; then rm -f -- "$file"; echo "the program did not arrive whole" >&2; exit 65; fi
rm -rf -- "$dir.new"
mkdir -p -m 755 -- "$dir.new"
tar -xzf "$file" -C "$dir.new" --no-same-owner
cd "$dir.new"
chmod -R a+rX,go-w .
sync -- hairpin lib/* SHA256SUMS lib .
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
 * not repeated. It is started once: one that does not run here is said now and not by a unit. Gives the megabytes that
 * were sent.
 */
export async function sendProgram(opts: SendProgram): Promise<number | 'there'> {
  const { node, program, dir, file, signal, progress } = opts;
  const seen = (await node.probe(['sh', '-c', lookScript, 'hairpin-look', dir, file])).stdout.trim().split('\n');
  if (seen[0] === 'there') return 'there';
  const arch = archOfMachine[seen[1] ?? ''];
  if (arch === undefined) {
    throw new OperatorError('STEP_FAILED', `hairpin is not made for a machine that is ${seen[1]}`);
  }
  progress('packing');
  const { bytes, sha256 } = await program.archive(arch, { signal });
  await opts.before();
  const megabytes = (count: number) => Math.round(count / 1e6);
  const start = Number(seen[0]) > bytes.length ? 0 : Number(seen[0]) || 0;
  for (let offset = start; offset < bytes.length; offset += sliceBytes) {
    signal.throwIfAborted();
    progress('sending, MB', megabytes(offset), megabytes(bytes.length));
    const argv = ['sh', '-c', receiveScript, 'hairpin-receive', file, String(offset)];
    const slice = bytes.subarray(offset, offset + sliceBytes);
    mustEndWell(await node.change(argv, { stdin: slice, timeout: 10 * 60_000 }), 'Sending hairpin');
  }
  progress('unpacking');
  const argv = ['sh', '-c', unpackScript, 'hairpin-unpack', dir, sha256, file, opts.versions, opts.launcher];
  mustEndWell(await node.change(argv, { timeout: 5 * 60_000 }), 'Unpacking hairpin');
  return megabytes(bytes.length);
}
