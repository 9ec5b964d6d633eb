import type { NodePort, RunOptions, RunResult } from '../node/port.ts';
import type { Step } from '../plan/step.ts';

/** What hairpin keeps on a node. The lock and what is under way vanish with a reboot, as they should. */
export const nodePaths = {
  state: '/var/lib/hairpin',
  /** What was changed here and how to undo it, one JSON object a line; `reset` reads it from any machine. */
  journal: '/var/lib/hairpin/journal.jsonl',
  /** How a unit was before its first change: `UNIT ENABLED ACTIVE` a line. */
  units: '/var/lib/hairpin/units',
  /** `sha256  path` of every file that was written (see node/files.ts). */
  written: '/var/lib/hairpin/written',
  runtime: '/run/hairpin',
  lock: '/run/hairpin/lock',
  /** One file per command that is under way: `PID STARTTIME GROUP`. */
  underWay: '/run/hairpin/under-way',
} as const;

/** A line of the node's own journal. */
export interface NodeRecord {
  readonly at: string;
  readonly run: string;
  readonly by: string;
  readonly step: string;
  readonly kind: Step['kind'];
  readonly undo: Step['undo'];
}

// The line is on disk before the command starts, and the command's process group is known to whoever takes over after
// this run was killed. `$$` cannot be used for the start time of the group: field 22 of stat is asked for the shell.
const markScript = `
journal=$1 line=$2 under=$3; shift 3
mkdir -p -m 755 -- "\${journal%/*}"
mkdir -p -m 700 -- "\${under%/*}"
printf '%s\\n' "$line" >>"$journal"
read -r stat </proc/$$/stat
set -f; rest=\${stat##*) }
words() { echo "$$ \${20} $3"; }
words $rest >"$under"
set +f
trap 'rm -f -- "$under"' EXIT
trap 'exit 143' HUP INT TERM
`;

const plainScript = `${markScript}
"$@"
`;

// The configuration is readable by root only, from its first byte on, and gone when the command has ended. umask is for
// the file alone: kubeadm makes directories whose modes depend on it.
const secretFileScript = `${markScript}
config=$1; shift
trap 'rm -f -- "$under" "$config"' EXIT
(umask 077; mkdir -p -- "\${config%/*}"; rm -f -- "$config"; cat >"$config") || exit 75
"$@" </dev/null
`;

export interface Marked {
  readonly record: NodeRecord;
  readonly opts?: RunOptions;
}

/** Runs a changing command after writing its journal line on the node, in one round trip. */
export function changeMarked(node: NodePort, argv: readonly string[], marked: Marked): Promise<RunResult> {
  return run(node, plainScript, argv, marked);
}

/** The same with a secret file that exists only while the command runs. `content` travels on standard input. */
export function changeWithSecretFile(
  node: NodePort,
  argv: readonly string[],
  marked: Marked & { readonly path: string; readonly content: string },
): Promise<RunResult> {
  const opts = { ...marked.opts, stdin: marked.content };
  return run(node, secretFileScript, [marked.path, ...argv], { record: marked.record, opts });
}

async function run(node: NodePort, script: string, argv: readonly string[], marked: Marked): Promise<RunResult> {
  const under = `${nodePaths.underWay}/${marked.record.step.replaceAll(/[^A-Za-z0-9_.-]/g, '_')}`;
  const line = JSON.stringify(marked.record);
  const result = await node.change(
    ['sh', '-c', script, 'hairpin-step', nodePaths.journal, line, under, ...argv],
    marked.opts,
  );
  return { ...result, argv };
}

/** Adds a line to the node's journal and nothing else: for steps that are not one command. */
export async function remember(node: NodePort, record: NodeRecord, signal?: AbortSignal): Promise<void> {
  const script = `mkdir -p -m 755 -- "\${1%/*}" && printf '%s\\n' "$2" >>"$1"`;
  const argv = ['sh', '-c', script, 'hairpin-remember', nodePaths.journal, JSON.stringify(record)];
  await node.change(argv, signal === undefined ? {} : { signal });
}

/** Reads a node's journal; lines that a crash cut short are left out. */
export function parseNodeJournal(text: string): readonly NodeRecord[] {
  return text.split('\n').flatMap((line): NodeRecord[] => {
    try {
      const value: unknown = JSON.parse(line);
      return isRecord(value) ? [value] : [];
    } catch {
      return [];
    }
  });
}

function isRecord(value: unknown): value is NodeRecord {
  if (typeof value !== 'object' || value === null) return false;
  const { step, kind, undo } = value as Record<string, unknown>;
  return (
    typeof step === 'string' && typeof kind === 'string' && typeof undo === 'object' && undo !== null && 'is' in undo
  );
}
