import { balancerCatalog } from '../../src/lab/spec/catalog.ts';
import type { LabInput } from '../../src/lab/spec/input.ts';
import type { LabSpec } from '../../src/lab/spec/lab-spec.ts';
import { resolveLab } from '../../src/lab/spec/resolve.ts';

/** A whole spec from the parts that a test is about. */
export function labSpec(input: LabInput = {}): LabSpec {
  const resolved = resolveLab(input, balancerCatalog());
  if (resolved.ok) return resolved.spec;
  throw new Error(resolved.problems.map(({ path, problem }) => `${path.join('.')}: ${problem}`).join('\n'));
}
