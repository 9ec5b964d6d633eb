/**
 * Takes secrets out of whatever is to leave the operator's machine: bootstrap tokens, certificate keys, keys and
 * certificates, JSON web tokens, passwords. The shape stays, so that what reads it afterwards still recognises it. Pure.
 */
export function redact(text: string): string {
  return rules.reduce((rest, [pattern, instead]) => rest.replaceAll(pattern, instead), text);
}

const rules: readonly (readonly [RegExp, string])[] = [
  [/\b[a-z0-9]{6}\.[a-z0-9]{16}\b/g, 'abcdef.0123456789abcdef'],
  // Certificate keys; digests of images and ids of containers look the same and go with them.
  [/\b[0-9a-fA-F]{64}\b/g, 'f'.repeat(64)],
  [/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g, '-----REDACTED-----'],
  // A private key whose end was cut off is one all the same.
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*/g, '-----REDACTED-----'],
  [/\beyJ[\w-]+\.[\w-]+(?:\.[\w-]+)?/g, 'JWT-REDACTED'],
  [/\b[A-Za-z0-9+/]{120,}={0,2}/g, 'BASE64-REDACTED'],
  [
    /\b(auth_pass|password|passwd|secret|token-secret|client-key-data|token)(["']?\s*[:= ]\s*["']?)(?!abcdef\.)[^\s"',;&]{4,}/gi,
    '$1$2REDACTED',
  ],
  [/\b(Bearer|Basic)\s+[\w.~+/=-]{8,}/g, '$1 REDACTED'],
  [/(\/\/[^\s/:@]+:)[^\s/@]+@/g, '$1REDACTED@'],
];

/** The same for every string in a value. */
export function redactValue(value: unknown): unknown {
  if (typeof value === 'string') return redact(value);
  if (Array.isArray(value)) return value.map(redactValue);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, redactValue(inner)]));
}
