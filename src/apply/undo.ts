import { OperatorError } from '../errors/operator-error.ts';
import type { NodePort } from '../node/port.ts';
import type { Undo } from '../plan/step.ts';
import { removeHostsBlock } from '../render/hosts/block.ts';
import { type NodeRecord, nodePaths, parseNodeJournal } from './on-node.ts';

/**
 * What to do on one node to take back what is in its journal, newest first, each thing once; but for steering, whose table
 * stays while a member of a cluster has flows in it: it is withdrawn once more when kubeadm's reset has ended them.
 */
export function undosOf(records: readonly NodeRecord[]): readonly Undo[] {
  const seen = new Set<string>();
  const undos = records.toReversed().flatMap((record): Undo[] => {
    const key = JSON.stringify(record.undo);
    if (record.undo.is === 'nothing' || seen.has(key)) return [];
    seen.add(key);
    return [record.undo];
  });
  const end = undos.findIndex((undo) => undo.is === 'kubeadm-reset') + 1;
  return [...undos.slice(0, end), ...undos.slice(0, end).filter(withdrawsSteering), ...undos.slice(end)];
}

function withdrawsSteering(undo: Undo): boolean {
  return undo.is === 'run' && undo.argv.includes('hairpin-withdraw');
}

/** How an undo is told to people. */
export function undoInWords(undo: Undo): string {
  switch (undo.is) {
    case 'nothing':
      return undo.because;
    case 'restore-file':
      return `put back ${undo.path}`;
    case 'remove-hosts-block':
      return `take our lines out of ${undo.path}`;
    case 'disable-unit':
      return `stop and disable ${undo.unit}`;
    case 'run':
      return undo.says ?? `run ${undo.argv.join(' ')}`;
    case 'kubeadm-reset':
      return 'kubeadm reset';
  }
}

/**
 * Carries out one undo. All of them may be repeated: a reset may be killed as well. Gives what stays, a line each: the
 * output of a command.
 */
export async function undoOnNode(node: NodePort, undo: Undo): Promise<readonly string[]> {
  switch (undo.is) {
    case 'nothing':
      return [];
    case 'restore-file':
      await mustRun(node, 'restoring a file', restoreScript, [undo.path, nodePaths.written]);
      return [];
    case 'remove-hosts-block':
      await removeBlock(node, undo.path);
      return [];
    case 'disable-unit':
      await mustRun(node, `stopping ${undo.unit}`, disableScript, [undo.unit]);
      return [];
    case 'run': {
      const { stdout } = await node.change(undo.argv, { timeout: 120_000 });
      return linesOf(stdout);
    }
    case 'kubeadm-reset':
      await kubeadmReset(node);
      return [];
  }
}

function linesOf(text: string): readonly string[] {
  return text.split('\n').filter((line) => line !== '');
}

/**
 * The first backup is the file as it was before hairpin; later ones are what somebody changed meanwhile. A file without a
 * backup goes when its content is ours; what somebody else wrote into it, or what an earlier reset put back, stays.
 */
const restoreScript = `
path=$1 manifest=$2
if [ -L "$path" ]; then path=$(readlink -f -- "$path"); fi
if [ -e "$path.hairpin-backup" ]; then
  mv -fT -- "$path.hairpin-backup" "$path" || exit 1
  rm -f -- "$path".hairpin-backup.[0-9]*
elif [ -e "$path" ]; then
  sum=$(sha256sum <"$path")
  if grep -qsxF -- "\${sum%% *}  $path" "$manifest"; then rm -f -- "$path"; fi
fi
exit 0
`;

// ExecStop of our own units takes back what they did; a unit that is gone already is no failure.
const disableScript = `
systemctl disable --now -- "$1" 2>/dev/null
systemctl reset-failed -- "$1" 2>/dev/null
exit 0
`;

const rewriteScript = 'cat >"$1.hairpin-new" && cat "$1.hairpin-new" >"$1" && rm -f -- "$1.hairpin-new"';

const forgetScript = `
rm -f -- "$1".hairpin-backup*
[ -e "$2" ] || exit 0
grep -vF -- "  $1" "$2" >"$2.new"
mv -f -- "$2.new" "$2"
`;

async function removeBlock(node: NodePort, path: string): Promise<void> {
  const text = await node.readFile(path);
  if (text === undefined) return;
  const without = removeHostsBlock(text);
  // Through the file itself: no backup of a file that only loses our own lines, and mode and owner stay.
  if (without !== text) {
    const result = await node.change(['sh', '-c', rewriteScript, 'hairpin-hosts', path], { stdin: without });
    if (result.exitCode !== 0) throw failed(node.name, `cleaning ${path}`, result.stderr);
  }
  await mustRun(node, `forgetting ${path}`, forgetScript, [path, nodePaths.written]);
}

/**
 * `kubeadm reset` leaves to the operator what it did not make itself; a node that hairpin brought up gets that cleaned as
 * well: CNI configuration and leftovers of pods, kube-proxy's rules, the kubelet's directory.
 */
const kubeadmResetScript = `
# The whole cluster goes, so no master has to leave etcd first; that would wait for a quorum that goes as well. The phase
# that is left out is also the one that empties etcd's directory.
had_etcd=
[ -e /etc/kubernetes/manifests/etcd.yaml ] && had_etcd=1
if command -v kubeadm >/dev/null 2>&1; then
  kubeadm reset --force --skip-phases=remove-etcd-member >&2 || kubeadm reset --force >&2 || code=$?
fi
[ -n "$had_etcd" ] && rm -rf --one-file-system /var/lib/etcd/member
systemctl stop kubelet.service 2>/dev/null
for table in 'ip kube-proxy' 'ip6 kube-proxy'; do nft delete table $table 2>/dev/null; done
for save in iptables-save ip6tables-save iptables-legacy-save ip6tables-legacy-save; do
  command -v $save >/dev/null 2>&1 || continue
  kept=$($save 2>/dev/null)
  case $kept in *KUBE-*|*CNI-*) ;; *) continue ;; esac
  printf '%s\\n' "$kept" | grep -v -E 'KUBE-|CNI-' | \${save%-save}-restore
done
if command -v ipvsadm >/dev/null 2>&1; then ipvsadm --clear 2>/dev/null; fi
for link in kube-ipvs0 cni0 flannel.1; do ip link delete "$link" 2>/dev/null; done
rm -rf --one-file-system /var/lib/kubelet/* /var/lib/cni/* /etc/kubernetes/tmp
exit \${code:-0}
`;

async function kubeadmReset(node: NodePort): Promise<void> {
  await mustRun(node, 'kubeadm reset', kubeadmResetScript, [], 300_000);
}

/**
 * The end of a reset: files that only the manifest knows, units as they were before, and hairpin's own directories. Prints
 * a line for each file of ours that somebody changed, and that therefore stays.
 */
const finishScript = `
state=$1 runtime=$2
for path in /etc/hairpin/*; do
  [ -e "$path" ] && sum=$(sha256sum <"$path") && ! grep -qsxF -- "\${sum%% *}  $path" "$state/written" &&
    echo "$path stays: somebody changed it after hairpin wrote it"
done
if [ -e "$state/written" ]; then
  sed -n 's/^[0-9a-f]\\{64\\}  //p' "$state/written" | sort -ur | while read -r path; do
    if [ -e "$path.hairpin-backup" ]; then
      mv -fT -- "$path.hairpin-backup" "$path"
      rm -f -- "$path".hairpin-backup.[0-9]*
    elif [ -e "$path" ]; then
      sum=$(sha256sum <"$path")
      if grep -qxF -- "\${sum%% *}  $path" "$state/written"; then rm -f -- "$path"; fi
    fi
  done
fi
systemctl daemon-reload 2>/dev/null
if [ -e "$state/units" ]; then
  while read -r unit enabled active; do
    case $enabled in
      enabled) systemctl enable -- "$unit" 2>/dev/null ;;
      disabled) systemctl disable -- "$unit" 2>/dev/null ;;
    esac
    case $active in
      active|activating) systemctl restart --no-block -- "$unit" 2>/dev/null ;;
      *) systemctl stop -- "$unit" 2>/dev/null; systemctl reset-failed -- "$unit" 2>/dev/null ;;
    esac
  done <"$state/units"
fi
if [ -e "$state/cni" ]; then
  for file in /etc/cni/net.d/* /etc/cni/net.d/.[!.]*; do
    [ -e "$file" ] || continue
    grep -qxF -- "\${file##*/}" "$state/cni" || rm -rf -- "$file"
  done
fi
if [ -e "$state/directories" ]; then
  sort -r "$state/directories" | while read -r dir; do
    case $dir in /var/log/pods|/var/log/containers) rm -rf -- "$dir" ;; *) rmdir -- "$dir" 2>/dev/null ;; esac
  done
fi
rm -rf -- "$state"
find "$runtime" -mindepth 1 -maxdepth 1 ! -name lock ! -name lock.mutex -exec rm -rf {} +
exit 0
`;

export async function finishUndo(node: NodePort): Promise<readonly string[]> {
  const argv = ['sh', '-c', finishScript, 'hairpin-undo', nodePaths.state, nodePaths.runtime];
  const { stdout } = await node.change(argv, { timeout: 120_000 });
  return linesOf(stdout);
}

/** Whether hairpin keeps anything on the node. */
export async function leftOnNode(node: NodePort): Promise<boolean> {
  return (await node.probe(['test', '-d', nodePaths.state])).exitCode === 0;
}

export async function readNodeJournal(node: NodePort): Promise<readonly NodeRecord[]> {
  return parseNodeJournal((await node.readFile(nodePaths.journal)) ?? '');
}

async function mustRun(
  node: NodePort,
  what: string,
  script: string,
  args: readonly string[],
  timeout = 120_000,
): Promise<void> {
  const result = await node.change(['sh', '-c', script, 'hairpin-undo', ...args], { timeout });
  if (result.exitCode !== 0) throw failed(node.name, what, result.stderr);
}

function failed(node: string, what: string, stderr: string): OperatorError {
  return new OperatorError('STEP_FAILED', `${node}: ${what} failed`, {
    cause: stderr.trim().split('\n').slice(-5).join('\n'),
    hint: 'reset may be run again; it goes on where it stopped',
  });
}
