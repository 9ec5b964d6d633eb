import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { formatDiagnostic } from '../../../src/errors/diagnostic.ts';
import { rules } from '../../../src/spec/rules/index.ts';
import { repoRoot } from '../../support/imports.ts';
import { readSpecText } from '../../support/spec.ts';

const fixtures = join(repoRoot, 'test/fixtures/spec');
const names = readdirSync(fixtures).map((file) => file.replace(/\.yaml$/, ''));

function said(name: string): string {
  const file = `${name}.yaml`;
  const result = readSpecText(readFileSync(join(fixtures, file), 'utf8'), file);
  const diagnostics = result.ok ? result.warnings : result.diagnostics;
  return [...diagnostics.map(formatDiagnostic), result.ok ? 'can be used' : 'cannot be used', ''].join('\n');
}

describe('what is said about files that are not right', () => {
  test.each(names.map((name) => ({ name })))('$name.yaml', async ({ name }) => {
    await expect(said(name)).toMatchFileSnapshot(`../../golden/spec/${name}.txt`);
  });

  test('every code of every rule is seen in one of them', () => {
    const all = names.map(said).join('');
    const codes = rules.flatMap((rule) => rule.codes);
    expect(codes.filter((code) => !all.includes(`   ${code}\n`))).toEqual([]);
  });

  test('no code comes from a rule that does not list it', () => {
    const listed = new Set(rules.flatMap((rule) => rule.codes));
    const seen = names.flatMap((name) =>
      [...said(name).matchAll(/ {3}((?:SPEC|KUBEADM)_[A-Z_]+)\n/g)].map((m) => m[1]),
    );
    expect(seen.filter((code) => code !== undefined && !listed.has(code))).toEqual([]);
  });

  test('no secret that a file holds is repeated', () => {
    expect(said('documents')).not.toMatch(/0123456789abcdef/);
  });
});
