import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { products } from './balancer/products/index.ts';
import { toBalancerConfig } from './balancer/products/product.ts';
import { formatDiagnostic } from './errors/diagnostic.ts';
import { BadSpecError, OperatorError } from './errors/operator-error.ts';
import type { Emit } from './report/event.ts';
import { readSpec, type SpecResult } from './spec/read-spec.ts';
import type { Spec } from './spec/spec.ts';
import type { Product } from './spec/to-spec.ts';

/** What `balancer.product` may name, with the health check that it then has. */
const knownProducts: Readonly<Record<string, Product>> = Object.fromEntries(
  products.map((product) => [product.name, { healthCheck: toBalancerConfig(product).healthCheck }]),
);

/** The products by name and title, for people to choose from. */
export const balancerProducts: readonly { readonly name: string; readonly title: string }[] = products.map(
  ({ name, title }) => ({ name, title }),
);

/** As `readSpec`, with the products of the table. */
export function parseClusterText(text: string, file: string): SpecResult {
  return readSpec(text, { file, products: knownProducts, home: homedir() });
}

/**
 * Reads cluster.yaml from disk. Warnings are told through `emit`; anything that keeps the file from being used is thrown
 * as one `BadSpecError` with every problem in it.
 */
export async function loadSpec(file: string, emit: Emit): Promise<Spec> {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new OperatorError('USAGE', `Cannot read ${file}`, {
      cause,
      hint: 'name the spec with -f, or write one with `hairpin init`',
    });
  });
  const result = parseClusterText(text, file);
  if (!result.ok) throw new BadSpecError(result.diagnostics);
  for (const warning of result.warnings) emit({ kind: 'warning', text: formatDiagnostic(warning) });
  return result.spec;
}
