import { readSpec, type SpecResult } from '../../src/spec/read-spec.ts';
import type { Spec } from '../../src/spec/spec.ts';
import { defaultHealthCheck, type Product } from '../../src/spec/to-spec.ts';

/** A table that does not change when the product's own does. */
export const products: Readonly<Record<string, Product>> = {
  'alibaba-clb': { healthCheck: defaultHealthCheck },
  'azure-ilb': {
    healthCheck: { protocol: 'https', path: '/readyz', intervalMs: 15_000, timeoutMs: 10_000, rise: 1, fall: 2 },
  },
};

export function readSpecText(text: string, file = 'cluster.yaml'): SpecResult {
  return readSpec(text, { file, products });
}

/** The spec in `text`; throws with the diagnostics when it is not fine. */
export function specOf(text: string): Spec {
  const result = readSpecText(text);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, undefined, 2));
  return result.spec;
}
