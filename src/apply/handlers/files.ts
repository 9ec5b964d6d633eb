import { OperatorError } from '../../errors/operator-error.ts';
import { setHostsBlock } from '../../render/hosts/block.ts';
import type { Handler } from '../handler.ts';
import { nodePaths } from '../on-node.ts';

/** The write itself keeps a backup and says so in the node's manifest; the journal line may be written beside it. */
export const writeFile: Handler<'write-file'> = async (step, cx) => {
  const { path, content, mode, owner } = step;
  const [written] = await Promise.all([cx.node.writeFile({ path, content, mode, owner }), cx.remember()]);
  if (!written.changed) return 'was so already';
  return written.backup === undefined ? undefined : `what was there is kept as ${written.backup}`;
};

// What is in /run is gone with the next boot anyway, and may hold a token. A file that is not ours is kept beside itself, as a write would keep it; the manifest knows ours by their content.
const removeScript = `
path=$1 manifest=$2
[ -e "$path" ] || [ -L "$path" ] || exit 0
case $path in /run/*) rm -f -- "$path"; exit ;; esac
sum=$(sha256sum <"$path") || exit 1
if ! grep -qsxF -- "\${sum%% *}  $path" "$manifest"; then
  backup=$path.hairpin-backup
  n=0
  while [ -e "$backup" ]; do
    kept=$(sha256sum <"$backup")
    [ "$kept" = "$sum" ] && break
    n=$((n + 1))
    backup=$path.hairpin-backup.$n
  done
  [ -e "$backup" ] || cp -p -- "$path" "$backup" || exit 1
  printf '%s' "$backup"
fi
rm -f -- "$path"
`;

export const removeFile: Handler<'remove-file'> = async (step, cx) => {
  const argv = ['sh', '-c', removeScript, 'hairpin-remove', step.path, nodePaths.written];
  const { stdout } = await cx.mustChange(argv, `Removing ${step.path}`);
  return stdout === '' ? undefined : `what was there is kept as ${stdout}`;
};

/** Other lines of the file stay as they are; mode and owner too. */
export const hostsBlock: Handler<'hosts-block'> = async (step, cx) => {
  const [before, stat] = await Promise.all([
    cx.node.readFile(step.path),
    cx.node.probe(['stat', '-c', '%a %U:%G', '--', step.path]),
  ]);
  const after = setHostsBlock(before ?? '', step.lines);
  if (after === before) return 'was so already';
  const [mode = '644', owner = 'root:root'] = stat.exitCode === 0 ? stat.stdout.trim().split(' ') : [];
  const file = { path: step.path, content: after, mode: Number.parseInt(mode, 8), owner };
  await Promise.all([cx.node.writeFile(file), cx.remember()]);
  return undefined;
};

/** kubeadm 1.14: from the leader's disk through this process's memory to the new master's disk. */
export const copyCertificates: Handler<'copy-certificates'> = async (step, cx) => {
  const from = cx.other(step.from);
  await cx.remember();
  for (const [index, path] of step.paths.entries()) {
    const content = await from.readFile(path);
    if (content === undefined) {
      throw new OperatorError('STEP_FAILED', `${path} is not on ${step.from}, and ${step.node} needs it to join`);
    }
    const isPrivate = content.includes('PRIVATE KEY');
    if (isPrivate) cx.secrets.hide(content.trim(), 'private key');
    await cx.node.writeFile({ path, content, mode: isPrivate ? 0o600 : 0o644 });
    cx.progress(path, index + 1, step.paths.length);
  }
  return `${step.paths.length} files`;
};
