import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { withoutHugePages } from '../../../src/program/elf.ts';

const dir = mkdtempSync(join(tmpdir(), 'hp-elf-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Offset and address of each loaded segment. */
function loadsOf(elf: Uint8Array): readonly (readonly [number, number])[] {
  const view = new DataView(elf.buffer, elf.byteOffset);
  const number = (at: number) => Number(view.getBigUint64(at, true));
  return Array.from({ length: view.getUint16(56, true) }, (_, i) => number(32) + i * view.getUint16(54, true))
    .filter((at) => view.getUint32(at, true) === 1)
    .map((at) => [number(at + 8), number(at + 16)] as const);
}

describe('withoutHugePages()', () => {
  test.each(['/bin/echo', process.execPath])(
    '%s runs as before, and no later segment can be mapped in one piece',
    (path) => {
      const before = readFileSync(path);
      const after = withoutHugePages(before);
      const file = join(dir, 'moved');
      writeFileSync(file, after);
      chmodSync(file, 0o755);
      expect(execFileSync(file, ['--version']).toString()).toBe(execFileSync(path, ['--version']).toString());
      const [first, ...others] = loadsOf(after);
      const [firstBefore, ...othersBefore] = loadsOf(before);
      expect(first).toEqual(firstBefore);
      expect(others.map(([, address]) => address)).toEqual(othersBefore.map(([, address]) => address));
      for (const [offset, address] of others) {
        expect(Math.abs(address - offset) % 4096).toBe(0);
        expect(Math.abs(address - offset) % 0x200000).not.toBe(0);
      }
    },
  );

  test.each([
    { name: 'nothing', bytes: '' },
    { name: 'a script', bytes: '#!/bin/sh\n'.repeat(20) },
  ])('refuses $name', ({ bytes }) => {
    expect(() => withoutHugePages(Buffer.from(bytes))).toThrow(SyntaxError);
  });
});
