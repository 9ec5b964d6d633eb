import { stringify } from 'yaml';
import type { SecretText } from '../../plan/step.ts';
import type { Tree } from './merge.ts';
import { toSecretText } from './secret-text.ts';

/** Documents as one YAML stream with holes for the secrets. */
export function renderDocuments(documents: readonly Tree[]): SecretText {
  return toSecretText(documents.map((document) => stringify(document, { lineWidth: 0 })).join('---\n'));
}
