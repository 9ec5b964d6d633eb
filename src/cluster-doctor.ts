import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type ClusterSession, factsAsk } from './apply/flow/session.ts';
import type { Cause } from './doctor/cause.ts';
import { causes, findCause } from './doctor/causes/index.ts';
import { type Diagnosis, diagnose } from './doctor/diagnose.ts';
import { explainCause } from './doctor/explain.ts';
import { type Gathered, gatherLive } from './doctor/live/gather.ts';
import { entriesOf, type NamedText, readTexts } from './doctor/logs/read.ts';
import { evidenceName, evidenceText, parseEvidence } from './doctor/support/format.ts';
import { packTexts } from './doctor/support/pack.ts';
import { redact } from './doctor/support/redact.ts';
import { OperatorError } from './errors/operator-error.ts';
import { gatherFacts } from './facts/gather.ts';
import { type Emit, task } from './report/event.ts';
import { formatDuration } from './std/duration.ts';

/** Enough for a diagnosis; a support bundle has the time to wait for slow nodes. */
const budgets = { doctor: 4500, support: 15_000 } as const;

export interface ClusterDiagnosis extends Diagnosis {
  readonly cluster: string;
  /** Milliseconds that looking took. */
  readonly ms: number;
  /** Nodes that could be looked at, of how many. */
  readonly seen: number;
  readonly of: number;
}

export const causeIds: readonly string[] = causes.map(({ id }) => id);

/** What is known about a cause, as data and as a text to read. Throws `USAGE` for an id that there is not. */
export function explain(id: string): { readonly cause: Cause; readonly text: string } {
  const cause = findCause(id);
  if (cause === undefined) {
    throw new OperatorError('USAGE', `There is no cause ${id}`, { hint: `there are ${causeIds.join(', ')}` });
  }
  return { cause, text: explainCause(cause) };
}

interface DoctorOptions {
  readonly session: ClusterSession;
  readonly emit: Emit;
  readonly signal: AbortSignal;
  readonly now?: () => Date;
  /** For everything that is asked of the nodes; what is not there by then is told as missing. */
  readonly budgetMs?: number | undefined;
}

/** Looks at every node at once and says what is wrong. Changes nothing, throws only for an abort. */
export async function diagnoseCluster(opts: DoctorOptions): Promise<ClusterDiagnosis> {
  const gathered = await gather(opts, opts.budgetMs ?? budgets.doctor);
  const { live, logs, ms } = gathered;
  const seen = live.nodes.filter(({ unreachable }) => !unreachable).length;
  const all = diagnose({ live, logs });
  if (seen === 0 && all.findings.length === 0) {
    throw new OperatorError('NODE_TIMEOUT', `No node of ${live.spec.name} answered within ${formatDuration(ms)}`, {
      cause: all.missing.join('\n'),
      hint: 'a slow way, or a machine that is busy: hairpin doctor --timeout 30s',
    });
  }
  return { ...all, cluster: live.spec.name, ms, seen, of: live.nodes.length };
}

export interface LogDiagnosis extends Diagnosis {
  /** Files (members of archives each) and lines that were read. */
  readonly files: number;
  readonly lines: number;
}

/** The same from files: logs, folders of them, support bundles. */
export async function diagnoseLogs(paths: readonly string[]): Promise<LogDiagnosis> {
  const texts = await readTexts(paths);
  const kept = texts.flatMap((text) => parseEvidence(text.text) ?? []);
  const logs = entriesOf(texts.filter(({ name }) => !isNoLog(name)));
  return { ...diagnose({ live: kept[0], logs }), files: texts.length, lines: logs.length };
}

function isNoLog(name: string): boolean {
  return name.endsWith(`/${evidenceName}`) || /\/journal\/[^/]*\.jsonl$/.test(name) || name.endsWith('/README.txt');
}

export interface SupportBundle {
  readonly path: string;
  readonly bytes: number;
  readonly members: readonly string[];
  readonly missing: readonly string[];
}

/** Everything that somebody else needs to say what is wrong, in one file without secrets: facts, checks, logs, journals. */
export async function makeSupportBundle(opts: DoctorOptions & { readonly path: string }): Promise<SupportBundle> {
  const { live, collected } = await gather(opts, opts.budgetMs ?? budgets.support);
  const { name } = live.spec;
  const root = `hairpin-support-${name}`;
  const logs = collected.flatMap(({ node, texts }) =>
    texts.map(({ name: log, text }) => ({
      name: `${root}/logs/${node}/${log.replace(/^\//, '')}`,
      text: redact(text),
    })),
  );
  const journals = await journalsOf(opts.session.directory, name);
  const texts: readonly NamedText[] = [
    { name: `${root}/README.txt`, text: readme(name, live.now) },
    { name: `${root}/${evidenceName}`, text: evidenceText(live) },
    ...journals.map((journal) => ({ name: `${root}/journal/${journal.name}`, text: redact(journal.text) })),
    ...logs,
  ];
  await packTexts(opts.path, texts, live.now);
  const { bytes, missing } = { bytes: (await stat(opts.path)).size, missing: diagnose({ live, logs: [] }).missing };
  return { path: opts.path, bytes, members: texts.map((text) => text.name), missing };
}

async function gather(opts: DoctorOptions, budgetMs: number): Promise<Gathered> {
  const { session, emit, signal, now = () => new Date() } = opts;
  return await task(
    emit,
    'doctor',
    'looking at the nodes',
    () =>
      gatherLive({
        spec: session.spec,
        nodes: session.nodes,
        program: session.program.id,
        facts: (nodes) => gatherFacts(factsAsk(session.spec, nodes), { signal, timeout: budgetMs }),
        signal,
        now: now(),
        budgetMs,
      }),
    ({ live }) => `${live.nodes.filter(({ unreachable }) => !unreachable).length} of ${live.nodes.length} nodes`,
  );
}

async function journalsOf(directory: string, cluster: string): Promise<readonly NamedText[]> {
  const folder = join(directory, '.hairpin', cluster);
  const names = await readdir(folder).catch(() => []);
  const files = names.filter((name) => name.endsWith('.jsonl')).toSorted();
  return await Promise.all(files.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
}

function readme(cluster: string, at: Date): string {
  return `Support bundle of ${cluster}, made by hairpin support at ${at.toISOString()}.

evidence.json  what was seen on the nodes: facts, tries, checks
logs/NODE/     logs of the last minutes: kubelet, containerd, static pods, kube-proxy, and hairpin's own units
journal/       what hairpin changed

Tokens, keys, certificates and passwords were taken out. Addresses and names were not.
Read it with: hairpin doctor --log THIS-FILE
`;
}
