import { formatHostPort } from '../std/address.ts';
import { type Cause, type Confidence, confidences, type Sign } from './cause.ts';
import { causes } from './causes/index.ts';
import type { Evidence, LogEntry } from './evidence.ts';
import { type KnownHosts, type LogContext, logContext } from './logs/context.ts';

export interface Seen {
  /** `FILE:LINE`, or the node. */
  readonly where: string;
  readonly text: string;
}

/** A cause with what speaks for it. */
export interface Finding {
  readonly cause: string;
  readonly title: string;
  readonly confidence: Confidence;
  /** Nodes it was seen on, in the order of the spec; empty when it is about the cluster. */
  readonly nodes: readonly string[];
  readonly why: string;
  readonly seen: readonly Seen[];
  /** The next command. */
  readonly run: string;
}

export interface Diagnosis {
  /** Best first. */
  readonly findings: readonly Finding[];
  /** Checks that are not ok and that no finding is about. */
  readonly symptoms: readonly { readonly check: string; readonly saw: string }[];
  /** What could not be looked at, and why. */
  readonly missing: readonly string[];
}

const enough = 3;

/** Evidence → findings, best first: by confidence, then in the order of the list of causes. Pure. */
export function diagnose(given: Evidence, list: readonly Cause[] = causes): Diagnosis {
  const evidence = { ...given, logs: recent(given) };
  const cx = logContext(evidence.logs, knownHosts(evidence));
  const found = list.flatMap((cause) => {
    const one = find(cause, evidence, cx);
    return one === undefined ? [] : [{ cause, finding: one }];
  });
  const telling = found.filter(({ cause, finding }) => cause.general !== true && finding.confidence !== 'possible');
  const named = new Set(telling.flatMap(({ finding }) => finding.nodes));
  const clusterWide = telling.some(({ finding }) => finding.nodes.length === 0);
  const findings = found
    .filter(({ cause, finding }) => cause.general !== true || !(clusterWide || coversAll(finding, named)))
    .map(({ finding }) => finding)
    // Stable: the order of the list decides between equals.
    .toSorted((a, b) => confidences.indexOf(a.confidence) - confidences.indexOf(b.confidence));
  return { findings, symptoms: symptoms(evidence, findings), missing: missing(evidence) };
}

/** On live nodes a line is news for this long: what goes on wrong is said again within it, what is over is not. */
const newsMs = 90_000;

function recent({ live, logs }: Evidence): readonly LogEntry[] {
  if (live === undefined) return logs;
  const offsets = new Map(
    live.nodes.map(({ spec, facts }) => [spec.name, facts?.clock.is === 'known' ? facts.clock.value.offsetMs : 0]),
  );
  return logs.filter(
    ({ at, node }) => at === undefined || at >= live.now.getTime() + (offsets.get(node ?? '') ?? 0) - newsMs,
  );
}

function coversAll(finding: Finding, named: ReadonlySet<string>): boolean {
  return finding.nodes.length === 0 ? named.size > 0 : finding.nodes.every((node) => named.has(node));
}

function find(cause: Cause, { live, logs }: Evidence, cx: LogContext): Finding | undefined {
  const sightings = live === undefined ? [] : (cause.judge?.(live) ?? []);
  const lines = cause.signs.flatMap((sign) => linesOf(sign, logs, cx).map((entry) => ({ sign, entry })));
  if (sightings.length === 0 && (lines.length === 0 || (live !== undefined && cause.logsAloneAreOld === true))) {
    return undefined;
  }
  const all = [...sightings.map(({ confidence }) => confidence), ...lines.map(({ sign }) => sign.confidence)];
  const nodes = [
    ...new Set(
      (sightings.length > 0 ? sightings.map(({ node }) => node) : lines.map(({ entry }) => entry.node)).flatMap(
        (node) => node ?? [],
      ),
    ),
  ];
  const endpoint = endpointOf(live, cx, lines[0]?.entry);
  const fill = (text: string) =>
    text
      .replaceAll('{endpoint}', endpoint)
      .replaceAll('{nodes}', nodes.length === 0 ? 'the node' : nodes.join(', '))
      .replaceAll('{node}', nodes[0] ?? 'NODE');
  return {
    cause: cause.id,
    title: cause.title,
    confidence: confidences.find((one) => all.includes(one)) ?? 'possible',
    nodes,
    why: fill(cause.why),
    seen: [
      ...sightings.map(({ node, saw }) => ({ where: node ?? 'cluster', text: saw })),
      ...newest(lines.map(({ entry }) => entry)).map((entry) => ({
        where: `${entry.source}:${entry.line}`,
        text: entry.text.trim(),
      })),
    ],
    run: fill(cause.run),
  };
}

/** As people dial it; from logs alone what their lines dial. */
function endpointOf(live: Evidence['live'], cx: LogContext, line: LogEntry | undefined): string {
  if (live !== undefined) return formatHostPort(live.spec.endpoint.host, live.spec.endpoint.port);
  const dialled = /https:\/\/((\[[^\]]+\]|[^:/"\s]+):\d+)/.exec(line?.text ?? '');
  const known = [...cx.endpoints][0];
  if (dialled?.[1] !== undefined && (known === undefined || dialled[2] === known)) return dialled[1];
  return known ?? 'the endpoint';
}

/** Lines that match, without those that a later line of the same log takes back. */
export function linesOf(sign: Sign, logs: readonly LogEntry[], cx: LogContext): readonly LogEntry[] {
  const lines = logs.filter((entry) => matches(sign, entry, cx));
  const { unless } = sign;
  const standing =
    unless === undefined || lines.length === 0
      ? lines
      : lines.filter(
          (line) =>
            !logs.some((later) => later.source === line.source && later.line > line.line && unless.test(later.text)),
        );
  const least = sign.atLeast ?? 1;
  if (sign.again !== true) return standing.length >= least ? standing : [];
  const logsOfThem = [...Map.groupBy(standing, ({ source }) => source).values()];
  return logsOfThem.filter((own) => new Set(own.map(moment)).size >= least).flat();
}

/** The ten seconds in which a line was written, by whatever clock it has; a line without one stands for itself. */
function moment({ at, text, line }: LogEntry): string {
  if (at !== undefined) return String(Math.floor(at / 10_000));
  return /\b\d\d:\d\d:\d/.exec(text)?.[0] ?? `line ${line}`;
}

function matches(sign: Sign, entry: LogEntry, cx: LogContext): boolean {
  if (sign.in !== undefined && entry.component !== 'unknown' && !sign.in.includes(entry.component)) return false;
  const found = sign.match.exec(entry.text);
  return found !== null && (sign.when?.(entry, found, cx) ?? true);
}

/** A few lines of each log, the last ones: the others say the same again. */
function newest(entries: readonly LogEntry[]): readonly LogEntry[] {
  const bySource = new Map<string, LogEntry>();
  for (const entry of entries) bySource.set(entry.source, entry);
  return [...bySource.values()].slice(0, enough);
}

function knownHosts({ live }: Evidence): KnownHosts {
  if (live === undefined) return { endpoints: [], nodes: [] };
  const { endpoint, nodes } = live.spec;
  return {
    endpoints: [endpoint.host, ...endpoint.addresses.map(({ text }) => text)],
    nodes: nodes.flatMap((node) => node.addresses.map(({ text }) => text)),
  };
}

function symptoms({ live }: Evidence, findings: readonly Finding[]): Diagnosis['symptoms'] {
  if (live === undefined || findings.length > 0) return [];
  return live.checks.flatMap(({ title, verdict }) =>
    verdict.is === 'not-ok' ? [{ check: title, saw: verdict.saw }] : [],
  );
}

function missing({ live }: Evidence): readonly string[] {
  if (live === undefined) return [];
  return [
    ...live.nodes.flatMap(({ spec, missing: reasons }) => reasons.map((reason) => `${spec.name}: ${reason}`)),
    ...live.checks.flatMap(({ title, verdict }) =>
      verdict.is === 'skip' ? [`check "${title}": ${verdict.reason}`] : [],
    ),
  ];
}
