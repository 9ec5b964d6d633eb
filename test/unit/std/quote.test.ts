import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { quoteArgv } from '../../../src/std/quote.ts';

const printer = 'const fs=require("fs");fs.writeSync(1,JSON.stringify(process.argv.slice(1)))';

test('quoteArgv() survives a round trip through sh', () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.string({ unit: 'binary' }).filter((arg) => !arg.includes('\0') && arg.isWellFormed()),
        { maxLength: 8 },
      ),
      (argv) => {
        const line = `${quoteArgv([process.execPath, '-e', printer, '--'])} ${quoteArgv(argv)}`;
        const seen: unknown = JSON.parse(execFileSync('sh', ['-c', line], { encoding: 'utf8' }));
        expect(seen).toEqual(argv);
      },
    ),
    { numRuns: 40 },
  );
});

test('quoteArgv() leaves plain words readable and refuses NUL', () => {
  expect(quoteArgv(['ip', 'addr', 'add', '172.16.105.26/32', 'dev', "it's"])).toBe(
    "ip addr add 172.16.105.26/32 dev 'it'\\''s'",
  );
  expect(() => quoteArgv(['a\0b'])).toThrow(RangeError);
});
