import * as z from 'zod';
import type { Diagnostic } from '../errors/diagnostic.ts';
import { closest } from '../std/closest.ts';
import type { YamlPath, YamlSource } from './yaml-source.ts';

/** What each schema wants, in words that finish "expected …". */
const wanted = z.registry<{ wants: string }>();

/** Says what a schema wants, for people: `wants(z.string(), 'an IP address such as 10.0.0.4')`. */
export function wants<S extends z.ZodType>(schema: S, words: string): S {
  wanted.add(schema, { wants: words });
  return schema;
}

/** A zod issue as its reader needs it: unknown keys with a suggestion, what is missing, what was expected instead. */
export function explainIssue(issue: z.core.$ZodIssue, root: z.ZodType, source: YamlSource): Diagnostic[] {
  const path = issue.path.filter((key) => typeof key !== 'symbol');
  const schema = schemaAt(root, path);
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(key, path, schema, source));
  if (issue.code === 'invalid_union') {
    const branch = nearestBranch(issue.errors, issue.input);
    if (branch === undefined) return [wrongValue(issue, path, schema, source)];
    return branch.flatMap((inner) =>
      explainIssue({ ...inner, path: [...issue.path, ...inner.path] } as z.core.$ZodIssue, root, source),
    );
  }
  if (issue.code === 'custom') {
    const params = (issue.params ?? {}) as { code?: string; expected?: string; hint?: string };
    const { code = 'FIELD_VALUE', expected, hint } = params;
    return [source.diagnose(path, { code, problem: issue.message, expected, hint })];
  }
  return [wrongValue(issue, path, schema, source)];
}

function unknownKey(key: string, path: YamlPath, schema: z.ZodType | undefined, source: YamlSource): Diagnostic {
  const known = keysOf(schema);
  const meant = closest(key, known);
  return source.diagnose([...path, key], {
    code: 'FIELD_UNKNOWN',
    problem: 'there is no such field',
    expected: known.length === 0 ? undefined : `one of ${known.join(', ')}`,
    hint: meant === undefined ? undefined : `did you mean \`${meant}\`?`,
    atKey: true,
  });
}

function wrongValue(
  issue: z.core.$ZodIssue,
  path: YamlPath,
  schema: z.ZodType | undefined,
  source: YamlSource,
): Diagnostic {
  const expected = wordsFor(schema) ?? plainWords(issue);
  if (!source.has(path)) return source.diagnose(path, { code: 'FIELD_MISSING', problem: 'is missing', expected });
  const input: unknown = issue.input;
  const values = issue.code === 'invalid_value' ? issue.values.map(String) : [];
  const meant = typeof input === 'string' ? closest(input, values) : undefined;
  return source.diagnose(path, {
    code: issue.code === 'invalid_type' ? 'FIELD_TYPE' : 'FIELD_VALUE',
    problem: `${show(input)} cannot be used`,
    expected,
    hint: meant === undefined ? undefined : `did you mean \`${meant}\`?`,
  });
}

/**
 * The branch of a union that the writer had in mind: of those that want this kind of value, the one whose mistakes lie
 * deepest. `undefined` when none does.
 */
function nearestBranch(branches: z.core.$ZodIssue[][], input: unknown): z.core.$ZodIssue[] | undefined {
  const scalar = kindOf(input) === 'a value';
  const refusesKind = (issue: z.core.$ZodIssue) =>
    issue.path.length === 0 && (issue.code === 'invalid_type' || (issue.code === 'invalid_value' && !scalar));
  const depth = (issues: z.core.$ZodIssue[]) => Math.min(...issues.map((issue) => issue.path.length));
  return branches.filter((issues) => !issues.some(refusesKind)).toSorted((a, b) => depth(b) - depth(a))[0];
}

/** The schema that says what belongs at `path`; wrappers (optional, default, transform) are looked through. */
function schemaAt(root: z.ZodType, path: YamlPath): z.ZodType | undefined {
  let schema: z.ZodType | undefined = root;
  for (const key of path) {
    schema = schema === undefined ? undefined : childOf(schema, key);
  }
  return schema;
}

function childOf(schema: z.ZodType, key: string | number): z.ZodType | undefined {
  for (const candidate of layers(schema)) {
    if (candidate instanceof z.ZodObject) {
      const child: unknown = Object.hasOwn(candidate.shape, key) ? candidate.shape[key] : undefined;
      if (child instanceof z.ZodType) return child;
    }
    if (candidate instanceof z.ZodArray && typeof key === 'number') return candidate.element as z.ZodType;
    if (candidate instanceof z.ZodRecord) return candidate.valueType as z.ZodType;
  }
  return undefined;
}

/** The schema and everything that it wraps, outermost first; all branches of a union. */
function layers(schema: z.ZodType): z.ZodType[] {
  if (schema instanceof z.ZodPipe) return [schema, ...layers(schema.in as z.ZodType)];
  if (schema instanceof z.ZodUnion) return [schema, ...schema.options.flatMap((o) => layers(o as z.ZodType))];
  const inner: unknown = (schema as { def?: { innerType?: unknown } }).def?.innerType;
  return inner instanceof z.ZodType ? [schema, ...layers(inner)] : [schema];
}

function keysOf(schema: z.ZodType | undefined): string[] {
  if (schema === undefined) return [];
  return layers(schema).flatMap((layer) => (layer instanceof z.ZodObject ? Object.keys(layer.shape) : []));
}

function wordsFor(schema: z.ZodType | undefined): string | undefined {
  if (schema === undefined) return undefined;
  return layers(schema)
    .map((layer) => wanted.get(layer)?.wants)
    .find((words) => words !== undefined);
}

const typeWords: Record<string, string> = {
  object: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
};

function plainWords(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_type') return typeWords[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') {
    return issue.values.length === 1 ? String(issue.values[0]) : `one of ${issue.values.map(String).join(', ')}`;
  }
  if (issue.code === 'too_small') {
    return issue.origin === 'array' ? `at least ${issue.minimum} of them` : `${issue.minimum} or more`;
  }
  if (issue.code === 'too_big') {
    return issue.origin === 'array' ? `at most ${issue.maximum} of them` : `${issue.maximum} or less`;
  }
  return issue.message.replace(/^Invalid input: expected /, '');
}

/** A value short enough for one line. Mappings and lists are named, never printed: they may be long or hold secrets. */
function show(value: unknown): string {
  const kind = kindOf(value);
  if (Array.isArray(value) && value.length === 0) return 'an empty list';
  if (kind === 'a mapping' || kind === 'a list' || kind === 'nothing') return kind;
  const text = String(value);
  return text === '' ? 'empty text' : `\`${text.length > 60 ? `${text.slice(0, 57)}…` : text}\``;
}

function kindOf(value: unknown): 'nothing' | 'a list' | 'a mapping' | 'a value' {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'a mapping' : 'a value';
}
