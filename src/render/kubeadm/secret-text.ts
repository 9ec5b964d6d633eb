import type { SecretName, SecretRef, SecretText } from '../../plan/step.ts';

const names: readonly SecretName[] = ['join-token', 'certificate-key', 'ca-cert', 'ca-cert-hash'];
const open = '@@hairpin:';
const close = '@@';

/** A stand-in that survives a YAML printer (`@` makes it a quoted scalar) and that `toSecretText` turns into a hole. */
export function hole(name: SecretName): string {
  return `${open}${name}${close}`;
}

const holes = new RegExp(`${open}(${names.join('|')})${close}`);

/** Splits printed text at its holes. */
export function toSecretText(text: string): SecretText {
  // Every second part is what the parentheses matched: a name.
  return text
    .split(holes)
    .map((part, i): string | SecretRef => (i % 2 === 0 ? part : { secret: part as SecretName }))
    .filter((part) => part !== '');
}

/** The text as people may see it: each secret is its name between angle brackets. */
export function showSecretText(text: SecretText): string {
  return text.map((part) => (typeof part === 'string' ? part : `<${part.secret}>`)).join('');
}
