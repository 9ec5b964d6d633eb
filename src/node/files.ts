import { createHash } from 'node:crypto';
import { OperatorError } from '../errors/operator-error.ts';
import type { FileToWrite, RunOptions, RunResult, Written } from './port.ts';

/** What the file operations need of a node: to run something there as root. */
export type Run = (argv: readonly string[], opts?: RunOptions) => Promise<RunResult>;

/** On the node: `sha256  path` of everything that hairpin wrote there. A file whose hash is in it is ours. */
export const manifestPath = '/var/lib/hairpin/written';

/**
 * Writes a file on a node: temporary file in the same directory, fsync, rename. Content travels on standard input only.
 *
 * A file that was there is kept beside it as `PATH.hairpin-backup` unless hairpin wrote exactly that content to exactly
 * that path before (the manifest knows); what somebody changed after us is kept as `PATH.hairpin-backup.1`, `.2`, ….
 * The temporary file has a name of its own for each path, so what a write that was killed left is taken by the next one;
 * it is made with O_EXCL (`set -C`), so it is never somebody's link. The manifest is written before the rename: a crash
 * between the two leaves a line too many, never a backup of our own content. A symbolic link is followed, so the link
 * stays and its target is replaced.
 */
const writeScript = `
set -eu
umask 077
path=$1 mode=$2 owner=$3 sum=$4 manifest=$5
case $path in /*) ;; *) echo "not an absolute path: $path" >&2; exit 90 ;; esac
if [ -L "$path" ]; then path=$(readlink -f -- "$path"); fi
if [ -d "$path" ]; then echo "is a directory: $path" >&2; exit 91; fi
dir=$(dirname -- "$path")
there=
if [ -e "$path" ]; then
  there=$(sha256sum <"$path"); there=\${there%% *}
  if [ "$there" = "$sum" ] && [ "$(stat -c %a -- "$path")" = "$mode" ] && [ "$(stat -c %U:%G -- "$path")" = "$owner" ]; then
    echo same
    exit 0
  fi
fi
mkdir -p -m 755 -- "$dir"
tmp=$dir/.hairpin-\${path##*/}.part
rm -f -- "$tmp"
set -C; : >"$tmp"; set +C
trap 'rm -f -- "$tmp"' EXIT
trap 'exit 129' HUP INT TERM
cat >>"$tmp"
got=$(sha256sum <"$tmp")
if [ "\${got%% *}" != "$sum" ]; then echo "the content did not arrive whole" >&2; exit 92; fi
chown "$owner" -- "$tmp"
chmod "$mode" -- "$tmp"
backup=
if [ -n "$there" ] && [ "$there" != "$sum" ] && ! grep -qsxF -- "$there  $path" "$manifest"; then
  backup=$path.hairpin-backup
  n=0
  while [ -e "$backup" ]; do
    kept=$(sha256sum <"$backup")
    if [ "\${kept%% *}" = "$there" ]; then break; fi
    n=$((n + 1))
    backup=$path.hairpin-backup.$n
  done
  if [ ! -e "$backup" ]; then
    cp -p -- "$path" "$backup.part"
    sync -- "$backup.part"
    mv -fT -- "$backup.part" "$backup"
  fi
fi
mkdir -p -m 755 -- "$(dirname -- "$manifest")"
grep -qsxF -- "$sum  $path" "$manifest" || printf '%s  %s\\n' "$sum" "$path" >>"$manifest"
sync -- "$tmp"
mv -fT -- "$tmp" "$path"
trap - EXIT
sync -- "$dir"
if command -v restorecon >/dev/null 2>&1; then restorecon -F -- "$path" || :; fi
echo written
printf '%s' "$backup"
`;

export async function writeFileThrough(
  run: Run,
  node: string,
  file: FileToWrite,
  opts: { signal?: AbortSignal | undefined; manifest?: string } = {},
): Promise<Written> {
  const content = typeof file.content === 'string' ? new TextEncoder().encode(file.content) : file.content;
  const sum = createHash('sha256').update(content).digest('hex');
  const owner = file.owner ?? 'root:root';
  const argv = ['sh', '-c', writeScript, 'hairpin-write', file.path, file.mode.toString(8), owner, sum];
  const result = await run([...argv, opts.manifest ?? manifestPath], {
    stdin: content,
    signal: opts.signal,
  });
  if (result.exitCode !== 0) throw writeFailed(node, file.path, result.stderr);
  const [verdict, backup = ''] = result.stdout.split('\n');
  return { changed: verdict !== 'same', backup: backup === '' ? undefined : backup };
}

export async function readFileThrough(
  run: Run,
  node: string,
  path: string,
  opts: { signal?: AbortSignal | undefined } = {},
): Promise<string | undefined> {
  const script = 'if [ ! -e "$1" ] && [ ! -L "$1" ]; then exit 94; fi; exec cat -- "$1"';
  const result = await run(['sh', '-c', script, 'hairpin-read', path], {
    signal: opts.signal,
  });
  if (result.exitCode === 94) return undefined;
  if (result.exitCode !== 0) {
    throw new OperatorError('NODE_FILE', `Cannot read ${path} on ${node}`, { cause: lastLine(result.stderr) });
  }
  return result.stdout;
}

function writeFailed(node: string, path: string, stderr: string): OperatorError {
  const cause = lastLine(stderr);
  if (/No space left on device|Disk quota exceeded/.test(stderr)) {
    return new OperatorError('NODE_DISK_FULL', `Cannot write ${path} on ${node}: its disk is full`, {
      cause,
      hint: `make room on ${node} (df -h; df -i), then run the same command again; ${path} is as it was`,
    });
  }
  if (/Read-only file system/.test(stderr)) {
    return new OperatorError('NODE_FILE', `Cannot write ${path} on ${node}: the file system is read-only`, {
      cause,
      hint: `see why in the kernel's log of ${node} (dmesg); a disk fault makes file systems read-only`,
    });
  }
  return new OperatorError('NODE_FILE', `Cannot write ${path} on ${node}`, {
    cause,
    hint: `${path} is as it was; put right what stands in its way and run the same command again`,
  });
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
