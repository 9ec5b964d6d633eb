import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { formatDiagnostic } from '../../../src/errors/diagnostic.ts';
import { faultsOf } from '../../../src/lab/faults/list.ts';
import { nodeTier } from '../../../src/lab/nspawn/node-tier.ts';
import { parseLabYaml } from '../../../src/lab/spec/lab-yaml.ts';
import { repoRoot } from '../../support/imports.ts';

const page = readFileSync(join(repoRoot, 'docs/lab.md'), 'utf8');

test('the lab.yaml of docs/lab.md is one', () => {
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const result = parseLabYaml(example, 'docs/lab.md');
  expect(result.ok ? [] : result.diagnostics.map(formatDiagnostic)).toEqual([]);
  expect(result.ok && result.spec.endpoint.domain).toBe('api.lab.internal');
});

test('docs/lab.md names every fault', () => {
  expect(
    faultsOf(nodeTier)
      .filter(({ name }) => !page.includes(`\`${name}\``))
      .map(({ name }) => name),
  ).toEqual([]);
});
