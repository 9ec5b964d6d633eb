/**
 * Carries out plans. The only room that changes nodes: one handler per step kind, a lock on each node, the journal, and
 * what it takes to undo. It decides nothing: the plan did.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { OperatorError } from '../errors/operator-error.ts';
import type { SecretName, SecretText } from '../plan/step.ts';

/**
 * The secrets of one run, in memory and nowhere else. Token and certificate key are made at first use; the hash of the CA
 * is set by the step that learns it. Knows every value it ever gave out, so it can take them out of any text again.
 */
export class Secrets {
  readonly #values = new Map<SecretName, string>();
  readonly #hidden = new Map<string, string>();

  value(name: SecretName): string {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    if (isPublic(name)) throw new Error(`${name} was wanted before a step learned it`);
    const made = name === 'join-token' ? makeToken() : randomBytes(32).toString('hex');
    this.set(name, made);
    return made;
  }

  has(name: SecretName): boolean {
    return this.#values.has(name);
  }

  set(name: SecretName, value: string): void {
    this.#values.set(name, value);
    if (!isPublic(name)) this.hide(value, name);
  }

  /** Takes `value` out of everything that `redact` sees from here on, plain and as base64. */
  hide(value: string, name: string): void {
    const parts = [value, ...(/^[a-z0-9]{6}\.[a-z0-9]{16}$/.test(value) ? [value.slice(7)] : [])];
    for (const part of parts) {
      if (part === '') continue;
      this.#hidden.set(part, `<${name}>`);
      this.#hidden.set(Buffer.from(part).toString('base64'), `<${name}>`);
    }
  }

  resolve(text: SecretText): string {
    return text.map((part) => (typeof part === 'string' ? part : this.value(part.secret))).join('');
  }

  /** Without our secrets, and without what has the shape of one: kubeadm and kubectl print tokens and keys of others too. */
  redact(text: string): string {
    let out = text;
    // Longest first: a token contains its own second half.
    for (const [value, name] of [...this.#hidden].toSorted(([a], [b]) => b.length - a.length)) {
      out = out.replaceAll(value, name);
    }
    return redactShapes(out);
  }

  /** The same for everything in a plain value: events, journal entries. */
  redactAll<T>(value: T): T {
    return mapStrings(value, (text) => this.redact(text)) as T;
  }

  /** An error of the same kind whose texts hold no secret. Causes are followed. */
  redactError(error: unknown): unknown {
    if (error instanceof OperatorError) {
      return new OperatorError(error.code, this.redact(error.message), {
        exitCode: error.exitCode,
        ...(error.hint === undefined ? {} : { hint: this.redact(error.hint) }),
        ...(error.cause === undefined ? {} : { cause: this.redactError(error.cause) }),
      });
    }
    if (error instanceof Error) {
      error.message = this.redact(error.message);
      if (error.stack !== undefined) error.stack = this.redact(error.stack);
      if (error.cause !== undefined) error.cause = this.redactError(error.cause);
      return error;
    }
    return this.redactAll(error);
  }
}

/** A certificate and its hash are no secrets: `kubeadm join` commands in operators' notes are full of the hash. */
function isPublic(name: SecretName): name is 'ca-cert' | 'ca-cert-hash' {
  return name === 'ca-cert' || name === 'ca-cert-hash';
}

const shapes: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g, '<private key>'],
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, '<token>'],
  [/((?:certificate-key|certificateKey)["']?[=:\s]+["']?)[0-9a-f]{64}\b/gi, '$1<certificate-key>'],
  [/((?:client-key-data|token-secret|token)["']?:\s*["']?)[A-Za-z0-9+/=_.-]{16,}/g, '$1<secret>'],
];

function redactShapes(text: string): string {
  return shapes.reduce((out, [shape, name]) => out.replaceAll(shape, name), text);
}

function mapStrings(value: unknown, change: (text: string) => string): unknown {
  if (typeof value === 'string') return change(value);
  if (Array.isArray(value)) return value.map((item) => mapStrings(item, change));
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, mapStrings(item, change)]));
  }
  return value;
}

const tokenLetters = 'abcdefghijklmnopqrstuvwxyz0123456789';

function makeToken(): string {
  const letters = (n: number) =>
    Array.from({ length: n }, () => tokenLetters[randomInt(tokenLetters.length)] ?? '').join('');
  return `${letters(6)}.${letters(16)}`;
}
