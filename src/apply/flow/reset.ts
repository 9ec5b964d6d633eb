import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import type { Undo } from '../../plan/step.ts';
import { type Emit, task } from '../../report/event.ts';
import { controlPlaneNodes } from '../../spec/spec.ts';
import { FileJournal, type Journal, journalPath } from '../journal.ts';
import type { NodeRecord } from '../on-node.ts';
import { finishUndo, leftOnNode, readNodeJournal, undoInWords, undoOnNode, undosOf } from '../undo.ts';
import { beginRun, lockAll } from './run.ts';
import type { ClusterSession } from './session.ts';

/** What a reset does on one node, in this order. */
export interface NodeReset {
  readonly node: string;
  readonly undos: readonly Undo[];
  /** Hairpin keeps something there: a journal, a manifest, a measurement. */
  readonly anything: boolean;
  /** Nothing of hairpin stays; false where only a part is taken back and other things are there. */
  readonly whole: boolean;
}

export interface ResetOptions {
  readonly session: ClusterSession;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  /** Shows what will be undone and gives the answer. Not called when there is nothing. */
  readonly confirm: (resets: readonly NodeReset[]) => Promise<boolean>;
  /** Takes back only these; all of them when absent. */
  readonly only?: (record: NodeRecord) => boolean;
  /** As the journal and the locks call it; `reset` when absent. */
  readonly command?: string;
  readonly now?: () => Date;
}

export interface ResetResult {
  readonly resets: readonly NodeReset[];
  /** What was found changed by others, or could not be taken back. */
  readonly notes: readonly string[];
  readonly unreachable: readonly string[];
  readonly journal: string | undefined;
}

/**
 * Takes back what hairpin did, newest first, as each node's own journal says: any machine may reset, and a cluster that
 * was never finished is no different. Nodes that cannot be reached are named; the others are reset.
 */
export async function resetCluster(opts: ResetOptions): Promise<ResetResult> {
  const { session, now = () => new Date() } = opts;
  const run = beginRun(opts.command ?? 'reset', opts.emit, now());
  await using locked = await lockAll(session.nodes, run, opts.signal);
  const reachable = new Map([...session.nodes].filter(([name]) => !locked.unreachable.has(name)));
  for (const [name, error] of locked.unreachable) run.emit({ kind: 'warning', text: `${name}: ${error.message}` });
  const resets = await Promise.all([...reachable].map(([name, node]) => planReset(name, node, opts.only)));
  const unreachable = [...locked.unreachable.keys()];
  const todo = resets.filter(({ anything }) => anything);
  if (todo.length === 0) return { resets, notes: [], unreachable, journal: undefined };
  if (!(await opts.confirm(todo))) throw new OperatorError('NOT_CONFIRMED', 'Nothing was undone: it was not confirmed');

  const path = journalPath(session.directory, session.spec.name, run.id);
  using journal = new FileJournal({ path, run: run.id, secrets: run.secrets, now });
  // Workers first and the leader last: while there is an apiserver, kubelets end their pods in an orderly way.
  const masters = new Set(controlPlaneNodes(session.spec).map((node) => node.name));
  const workers = todo.filter(({ node }) => !masters.has(node));
  const rest = todo.filter(({ node }) => masters.has(node));
  const notes: string[] = [];
  for (const group of [workers, rest]) {
    const done = await Promise.allSettled(
      group.map((reset) => resetNode(reset, reachable, { ...opts, emit: run.emit, journal })),
    );
    for (const result of done) {
      if (result.status === 'rejected') throw run.secrets.redactError(result.reason);
      notes.push(...result.value);
    }
  }
  journal.add({ entry: 'run-ended', outcome: 'done', reason: undefined });
  return { resets, notes, unreachable, journal: path };
}

async function planReset(name: string, node: NodePort, only: ResetOptions['only']): Promise<NodeReset> {
  const [records, left] = await Promise.all([readNodeJournal(node), leftOnNode(node)]);
  if (only === undefined) return { node: name, undos: undosOf(records), anything: left, whole: true };
  const own = undosOf(records.filter(only));
  const others = undosOf(records.filter((record) => !only(record)));
  return { node: name, undos: own, anything: own.length > 0, whole: others.length === 0 };
}

async function resetNode(
  { node: name, undos, whole }: NodeReset,
  nodes: ReadonlyMap<string, NodePort>,
  opts: { readonly emit: Emit; readonly signal: AbortSignal; readonly journal: Journal },
): Promise<readonly string[]> {
  const node = nodes.get(name);
  if (node === undefined) return [];
  return task(opts.emit, `${name}/reset`, `${name} reset`, async (progress) => {
    // Of what is done twice the second time counts.
    const stays = new Map<string, readonly string[]>();
    for (const [index, undo] of undos.entries()) {
      opts.signal.throwIfAborted();
      const what = undoInWords(undo);
      progress(what, index, undos.length + 1);
      opts.journal.add({ entry: 'undone', node: name, what });
      stays.set(JSON.stringify(undo), await undoOnNode(node, undo));
    }
    const said = (lines: readonly string[]) => lines.map((line) => `${name}: ${line}`);
    const left = [...stays.values()].flat();
    if (!whole) return said(left);
    progress('units, files and directories as they were', undos.length, undos.length + 1);
    return said([...left, ...(await finishUndo(node))]);
  });
}
