import { stringify } from 'yaml';
import type { SecretText } from '../../plan/step.ts';
import type { Tree } from './merge.ts';
import { toSecretText } from './secret-text.ts';

/** Documents as one YAML stream with holes for the secrets. */
export function renderDocuments(documents: readonly Tree[]): SecretText {
  return toSecretText(documents.map(printDocument).join('---\n'));
}

/**
 * The text that the yaml library prints, without the document that it builds for it first: a plan for 5,000 nodes has
 * 5,000 documents, and they were more than half of its time. Whatever is not plain data goes the library's way.
 */
export function printDocument(document: Tree): string {
  const lines: string[] = [];
  return isCollection(document) && printed(document, '', '', lines)
    ? `${lines.join('\n')}\n`
    : stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** Adds the lines of a mapping or list that is not empty; `first` begins its first line. False: not for us. */
function printed(value: object, first: string, indent: string, lines: string[]): boolean {
  let start = first;
  const list = Array.isArray(value) ? (value as readonly unknown[]) : undefined;
  for (const [name, item] of Object.entries(value)) {
    if (item === undefined && list === undefined) continue;
    const key = list === undefined ? name : undefined;
    if (key !== undefined && !isPlain(key)) return false;
    const label = key === undefined ? '-' : `${key}:`;
    const below = `${indent}  `;
    if (isCollection(item)) {
      // A list's item begins on the line of its dash, a mapping's value below its key.
      if (key !== undefined) lines.push(`${start}${label}`);
      if (!printed(item, key === undefined ? `${start}- ` : below, below, lines)) return false;
    } else {
      const text = scalar(item);
      if (text === undefined) return false;
      lines.push(`${start}${label} ${text}`);
    }
    start = indent;
  }
  return true;
}

/** Something is in it; what is undefined is not there. */
function isCollection(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  if (Array.isArray(value)) return value.length > 0;
  for (const key in value) if (value[key as keyof typeof value] !== undefined) return true;
  return false;
}

function scalar(value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (isPlain(value)) return value;
    if (quoted.test(value)) return `"${value}"`;
    return bothWays.test(value) ? undefined : stringify(value, { lineWidth: 0 }).trimEnd();
  }
  if (value === null || typeof value === 'boolean' || Number.isSafeInteger(value)) return String(value);
  // A collection with something in it never comes here.
  if (typeof value === 'object') return Array.isArray(value) ? '[]' : '{}';
  return undefined;
}

// Nothing in these means anything to YAML: words, paths, durations, addresses with a port or a prefix length.
const plain = /^(?:\/?[A-Za-z][\w./-]*(?::[\w./-]+)*|\d+\.\d+\.\d+\.\d+(?:[:/]\d+)?|(?:\d+[hms])+)$/;
// A hole: `@` must be quoted, and nothing in it needs an escape.
const quoted = /^@@[\w:-]+@@$/;
const word = /^(?:true|false|null)$/i;
// The library prints these in one way by themselves and in another within a document: several lines, and marks of YAML's own.
const bothWays = /[\n\r]|^(?:%|---|\.\.\.)/;

function isPlain(text: string): boolean {
  return plain.test(text) && !word.test(text);
}
