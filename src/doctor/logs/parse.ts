import { type Component, components, type LogEntry } from '../evidence.ts';

/** Who wrote a file, where its name or the reader knows. */
export interface LogOrigin {
  readonly source: string;
  readonly component?: Component | undefined;
  readonly node?: string | undefined;
}

/**
 * Reads a log of any of these kinds, also mixed in one file: what kubeadm prints, journalctl's short forms, its JSON and
 * export forms, logs of containers as the runtime (CRI) or docker keeps them, klog, etcd's JSON, syslog. What is none of
 * these is taken as it stands. Pure.
 */
export function parseLog(text: string, origin: LogOrigin): readonly LogEntry[] {
  const lines = text.split('\n');
  const own = origin.component ?? componentOfPath(origin.source) ?? componentOfText(text);
  const { node } = origin;
  const entries = isJournalExport(lines) ? readExport(lines) : lines.map((line, index) => readLine(line, index + 1));
  let last: Raw | undefined;
  return entries.flatMap((entry): LogEntry[] => {
    if (entry.text.trim() === '') return [];
    // A line that goes on what the one before it began belongs to the same program and moment.
    const raw = entry.bare && last !== undefined && /^\s/.test(entry.text) ? { ...last, ...entry } : entry;
    last = raw;
    return [
      {
        source: origin.source,
        line: raw.line,
        at: raw.at,
        node: raw.node ?? node,
        component: raw.component ?? own ?? 'unknown',
        text: clean(raw.text),
      },
    ];
  });
}

interface Raw {
  readonly line: number;
  readonly text: string;
  readonly at?: number | undefined;
  readonly node?: string | undefined;
  readonly component?: Component | undefined;
  /** Nothing wrapped it. */
  readonly bare?: boolean;
}

const shortJournal =
  /^(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d(?:\.\d+)?|(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d))) (\S+) ([\w.@/-]+)(?:\[\d+\])?: (.*)$/;
const cri = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+(?:Z|[+-]\d\d:\d\d)) (?:stdout|stderr) [FP] (.*)$/;

function readLine(line: string, number: number): Raw {
  const journal = shortJournal.exec(line);
  if (journal !== null) {
    const [, at, node, program = '', text = ''] = journal;
    return {
      line: number,
      text,
      node,
      at: at === undefined ? undefined : time(at),
      component: componentOfName(program),
    };
  }
  const container = cri.exec(line);
  if (container !== null) return { line: number, text: container[2] ?? '', at: time(container[1] ?? '') };
  if (line.startsWith('{"')) {
    const read = readJson(line, number);
    if (read !== undefined) return read;
  }
  return { line: number, text: line, bare: true };
}

/** journalctl -o json, docker's json-file, etcd's own lines. */
function readJson(line: string, number: number): Raw | undefined {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const word = (key: string) => (typeof value[key] === 'string' ? value[key] : undefined);
  if (value.MESSAGE !== undefined) {
    // What is not UTF-8 comes as an array of bytes.
    const message = Array.isArray(value.MESSAGE) ? Buffer.from(value.MESSAGE as number[]).toString() : word('MESSAGE');
    return { line: number, text: message ?? '', ...journalFields((key) => word(key)) };
  }
  if (word('log') !== undefined && word('stream') !== undefined) {
    return { line: number, text: (word('log') ?? '').trimEnd(), at: time(word('time') ?? '') };
  }
  if (word('level') !== undefined && word('msg') !== undefined) {
    return { line: number, text: line, at: time(word('ts') ?? ''), component: 'etcd' };
  }
  return undefined;
}

function journalFields(field: (key: string) => string | undefined) {
  const micros = Number(field('__REALTIME_TIMESTAMP'));
  return {
    at: Number.isFinite(micros) && micros > 0 ? micros / 1000 : undefined,
    node: field('_HOSTNAME'),
    component: componentOfName(field('SYSLOG_IDENTIFIER') ?? field('_COMM') ?? ''),
  };
}

function isJournalExport(lines: readonly string[]): boolean {
  return lines.slice(0, 40).some((line) => line.startsWith('__REALTIME_TIMESTAMP='));
}

/** journalctl -o export: KEY=VALUE lines, an empty line after each entry. Values with line breaks come in binary form, which ends here at the first break. */
function readExport(lines: readonly string[]): readonly Raw[] {
  const entries: Raw[] = [];
  let fields = new Map<string, string>();
  let line = 0;
  const close = () => {
    const text = fields.get('MESSAGE');
    if (text !== undefined) entries.push({ line, text, ...journalFields((key) => fields.get(key)) });
    fields = new Map();
  };
  for (const [index, text] of lines.entries()) {
    if (text === '') close();
    const equals = text.indexOf('=');
    if (equals <= 0) continue;
    const key = text.slice(0, equals);
    if (key === 'MESSAGE') line = index + 1;
    fields.set(key, text.slice(equals + 1));
  }
  close();
  return entries;
}

function time(text: string): number | undefined {
  const parsed = Date.parse(
    text
      .replace(',', '.')
      .replace(/(\.\d{3})\d+/, '$1')
      .replace(/([+-]\d\d)(\d\d)$/, '$1:$2'),
  );
  return Number.isNaN(parsed) ? undefined : parsed;
}

/** Typographic quotes and dashes, as articles and tickets have them, are what the program printed. */
function clean(text: string): string {
  return text.replaceAll(/[“”]/g, '"').replaceAll(/[‘’]/g, "'").trimEnd();
}

const programs: readonly (readonly [RegExp, Component])[] = [
  [/^kubelet/, 'kubelet'],
  [/^(?:containerd|dockerd|docker|crio)/, 'containerd'],
  [/^(?:hairpin-)?haproxy/i, 'haproxy'],
  [/^(?:hairpin-)?keepalived/i, 'keepalived'],
  [/^hairpin/, 'agent'],
  [/^kernel$/, 'kernel'],
  [/^kubeadm/, 'kubeadm'],
];

function componentOfName(program: string): Component | undefined {
  return (
    components.find((name) => name === program) ?? programs.find(([pattern]) => pattern.test(program))?.[1] ?? undefined
  );
}

/** `kube-proxy.log`, `/var/log/pods/kube-system_kube-proxy-x2p/…/0.log`, `m1/kubelet.journal.txt`, `kubeadm-init.txt`. */
function componentOfPath(path: string): Component | undefined {
  const [file = '', ...folders] = path.split(/[/:]/).toReversed();
  const own = startingWith(file) ?? componentOfName(file);
  if (own !== undefined) return own;
  // Of folders only those that runtimes make: a person's own may be called anything.
  for (const folder of folders) {
    const pod = /^kube-system_(.*)_[0-9a-f-]+$/.exec(folder)?.[1];
    const found = components.find((name) => name === folder) ?? (pod === undefined ? undefined : startingWith(pod));
    if (found !== undefined) return found;
  }
  return undefined;
}

function startingWith(word: string): Component | undefined {
  return components.find((name) => name !== 'unknown' && word.startsWith(name));
}

/** Files without a telling name: what only one program says. */
function componentOfText(text: string): Component | undefined {
  if (/^\[(?:init|preflight|wait-control-plane|kubelet-check|etcd|discovery)\] /m.test(text)) return 'kubeadm';
  if (/error execution phase /.test(text)) return 'kubeadm';
  if (/ server\.go:\d+\] "?Version info|"Using iptables Proxier"|proxier\.go:\d+\]/.test(text)) return 'kube-proxy';
  if (/plugin\/(?:kubernetes|ready): /.test(text)) return 'coredns';
  if (/ kubelet\.go:\d+\]|kubelet_node_status\.go:\d+\]/.test(text)) return 'kubelet';
  if (/Keepalived_vrrp|VRRP_Instance\(/.test(text)) return 'keepalived';
  return undefined;
}
