import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repoRoot } from '../../support/imports.ts';

const read = (path: string) => readFileSync(join(repoRoot, path), 'utf8');

describe('docs', () => {
  test('every room of src has its line in docs/architecture.md', () => {
    const rooms = readdirSync(join(repoRoot, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const text = read('docs/architecture.md');
    expect(rooms.map((room) => room.name).filter((room) => !text.includes(`\`${room}/\``))).toEqual([]);
  });

  test('every dependency is pinned exactly and has its reason in docs/dependencies.md', () => {
    const { dependencies, devDependencies } = JSON.parse(read('package.json')) as Record<
      string,
      Record<string, string>
    >;
    const ledger = read('docs/dependencies.md');
    const rows = Object.entries({ ...dependencies, ...devDependencies });
    expect(rows.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    expect(
      rows
        .filter(([name, version]) => !ledger.includes(`| ${name} | ${version} |`))
        .map(([name, version]) => `${name} ${version}`),
    ).toEqual([]);
  });

  test('no committed text names a package registry or a path of this machine', () => {
    const lock = read('package-lock.json');
    expect(lock.match(/"resolved"/g) ?? []).toEqual([]);
  });
});
