import { isAlias, isMap, isScalar, isSeq, LineCounter, type Pair, type ParsedNode, parseDocument } from 'yaml';
import type { Diagnostic, Severity } from '../errors/diagnostic.ts';

export type YamlPath = readonly (string | number)[];

export interface Position {
  readonly line: number;
  readonly column: number;
}

/** What a rule says about a place; the source adds file, line, column and the path in words. */
export interface Finding {
  readonly code: string;
  readonly problem: string;
  readonly expected?: string | undefined;
  readonly hint?: string | undefined;
  readonly severity?: Severity;
  /** Point at the key and not at its value: for keys that should not be there. */
  readonly atKey?: boolean;
}

/** One YAML document that a person wrote, which knows where everything in it stands. */
export interface YamlSource {
  readonly file: string;
  /** Plain data; `undefined` when `diagnostics` is not empty. */
  readonly data: unknown;
  /** What YAML itself has to say: syntax, duplicate keys, a second document. */
  readonly diagnostics: readonly Diagnostic[];
  /** True when something is written at this path, `null` included. */
  has(path: YamlPath): boolean;
  /** Of the value at `path`, or of the nearest thing around it that exists. */
  position(path: YamlPath, atKey?: boolean): Position;
  /** A finding, placed. */
  diagnose(path: YamlPath, finding: Finding): Diagnostic;
}

/**
 * The source of a text whose data is known already (`quickYaml`). Where things stand is found out when somebody asks:
 * for a file without mistakes nobody does.
 */
export function sourceOfData(text: string, file: string, data: unknown): YamlSource {
  let parsed: YamlSource | undefined;
  const careful = () => {
    parsed ??= parseYamlSource(text, file);
    return parsed;
  };
  return {
    file,
    data,
    diagnostics: [],
    has: (path) => isWritten(data, path),
    position: (path, atKey) => careful().position(path, atKey),
    diagnose: (path, finding) => careful().diagnose(path, finding),
  };
}

export function parseYamlSource(text: string, file: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const resolve = (node: unknown): unknown => (isAlias(node) ? node.resolve(document) : node);
  // Brackets that are open without end give one error each, all at the same place.
  const errors = [...new Map(document.errors.map((error) => [`${error.pos[0]} ${error.message}`, error])).values()];
  const diagnostics: Diagnostic[] = errors.map((error) => ({
    file,
    ...place(error.pos[0]),
    path: '',
    code: 'YAML_SYNTAX',
    problem: ownWords[error.code] ?? sentence(error.message),
  }));

  let data: unknown;
  if (diagnostics.length === 0) {
    try {
      data = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      // An anchor that is not there, or aliases that multiply into something huge.
      const problem = error instanceof Error ? sentence(error.message) : 'it cannot be read';
      diagnostics.push({ file, line: 1, column: 1, path: '', code: 'YAML_SYNTAX', problem });
    }
  }

  const position = (path: YamlPath, atKey = false): Position => {
    let node: unknown = document.contents;
    let offset = start(node) ?? 0;
    for (const [index, key] of path.entries()) {
      const container = resolve(node);
      if (isMap<ParsedNode, ParsedNode | null>(container)) {
        const pair = findPair(container.items, key);
        if (pair === undefined) break;
        const wantsKey = (atKey && index === path.length - 1) || isEmpty(pair.value);
        offset = (wantsKey ? start(pair.key) : start(pair.value)) ?? offset;
        node = pair.value;
      } else if (isSeq(container) && typeof key === 'number' && container.items[key] !== undefined) {
        node = container.items[key];
        offset = start(node) ?? offset;
      } else {
        break;
      }
    }
    return place(offset);
  };

  return {
    file,
    data,
    diagnostics,
    position,
    has: (path) => isWritten(data, path),
    diagnose: (path, finding) => ({
      file,
      ...position(path, finding.atKey),
      path: formatYamlPath(path),
      code: finding.code,
      problem: finding.problem,
      ...(finding.expected === undefined ? {} : { expected: finding.expected }),
      ...(finding.hint === undefined ? {} : { hint: finding.hint }),
      ...(finding.severity === undefined ? {} : { severity: finding.severity }),
    }),
  };
}

/** `spec.nodes[3].address`; keys that are no plain words are quoted. */
export function formatYamlPath(path: YamlPath): string {
  return path
    .map((key, index) => {
      if (typeof key === 'number') return `[${key}]`;
      if (!/^[A-Za-z_][\w-]*$/.test(key)) return `[${JSON.stringify(key)}]`;
      return index === 0 ? key : `.${key}`;
    })
    .join('');
}

function isWritten(data: unknown, path: YamlPath): boolean {
  let value = data;
  for (const key of path) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return false;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value !== undefined;
}

function findPair<K, V>(items: readonly Pair<K, V>[], key: string | number): Pair<K, V> | undefined {
  return items.find((pair) => {
    const name: unknown = isScalar(pair.key) ? pair.key.value : pair.key;
    return name === key || String(name) === String(key);
  });
}

function isEmpty(node: unknown): boolean {
  return node === null || node === undefined || (isScalar(node) && node.source === '');
}

function start(node: unknown): number | undefined {
  return (node as { range?: readonly number[] } | null | undefined)?.range?.[0];
}

/** Where the parser talks to programmers, we talk to the person who wrote the file. */
const ownWords: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this key is there twice in one mapping',
  RESOURCE_EXHAUSTION: 'lists or mappings are nested too deeply',
  MULTIPLE_DOCS: 'a second document starts here; only one is read',
};

/** The parser's message in our form: one line, no final period. */
function sentence(message: string): string {
  return message.trim().split('\n')[0]?.replace(/\.$/, '') ?? message;
}
