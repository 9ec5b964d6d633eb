import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseDocument, stringify } from 'yaml';
import { quickYaml } from '../../../src/spec/quick-yaml.ts';

/** What the parser reads that says where everything stands; `undefined` when it finds something wrong. */
function careful(text: string): { readonly data: unknown } | undefined {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) return undefined;
  try {
    return { data: document.toJS() };
  } catch {
    // An alias without its anchor.
    return undefined;
  }
}

/** Both readers, or the quick one has left it to the other. */
function expectSame(text: string): void {
  const quick = quickYaml(text);
  if (quick !== undefined) expect([text, quick]).toEqual([text, careful(text)]);
}

describe('the quick reader', () => {
  test.each([
    '0123',
    '0o17',
    '0x1F',
    '0b11',
    '1_000',
    '+12',
    '-0',
    '1e3',
    '.5',
    '5.',
    '.inf',
    '-.INF',
    '.nan',
    '12:30:45',
    '2026-11-27',
    '2026-11-27T10:00:00Z',
    'yes',
    'no',
    'on',
    'off',
    'y',
    'True',
    'TRUE',
    'tRUE',
    '~',
    'null',
    'Null',
    'nULL',
    '',
    '=',
    '<<',
    '172.16.105.26:6443',
    'fd00::1',
    '::1',
    '10.0.0.0/8',
    'v1.37.2',
    '1.37',
    '1.10',
    "'1.10'",
    '"a\\tb\\u00e9"',
    "'it''s'",
    'a b # comment',
    'a#b',
    '9007199254740993',
    '0.1',
    '1e400',
  ])('reads the scalar `%s` as the careful one does', (scalar) => {
    for (const text of [
      `a: ${scalar}\n`,
      `a:\n  - ${scalar}\n  - x\n`,
      `a: { b: ${scalar} }\n`,
      `a: [${scalar}, x]\n`,
      `${scalar}: x\n`,
      `a: ${scalar}\r\nb: x\r\n`,
    ]) {
      expectSame(text);
    }
  });

  test.each([
    'a: |\n  x\n  y\n\nb: >-\n  x\n  y\n\n  z\n',
    'a: one\n  two\n  three\n',
    '- a\n-\n  b: 1\n- - x\n  - y\n',
    '---\na: 1\n...\n',
    '\ufeffa: 1\n',
    '# nothing\n',
    '',
    'a: 1\na: 2\n',
    'a: 1\n---\nb: 2\n',
    'a: [1, 2\n',
    'a:\t1\n',
    '\ta: 1\n',
    'a: "x\n',
    'a: b: c\n',
    '{a: 1, b: }\n',
    '{a, b}\n',
    '{~}\n',
    '{a: 1, null}\n',
    '[a, ~, {b: 1,\n  ~ # no key\n}]\n',
    '__proto__: { x: 1 }\n',
    'constructor: 1\n',
    'a: 1 \n\n\n   \n',
  ])('reads the document %j as the careful one does', (text) => {
    expectSame(text);
  });

  test('leaves what multiplies or has a meaning of its own to the careful one', () => {
    for (const text of ['a: &x 1\nb: *x\n', 'a: !!str 1\n', '%YAML 1.1\n---\na: yes\n', '? a\n: b\n']) {
      expect(quickYaml(text)).toBeUndefined();
    }
  });

  test('reads whatever the library prints as the library reads it', () => {
    const value = fc.jsonValue({ maxDepth: 4 });
    const style = fc.record({
      indent: fc.integer({ min: 2, max: 4 }),
      collectionStyle: fc.constantFrom('any', 'block', 'flow'),
      lineWidth: fc.constantFrom(0, 20, 80),
      defaultStringType: fc.constantFrom('PLAIN', 'QUOTE_SINGLE', 'QUOTE_DOUBLE', 'BLOCK_LITERAL', 'BLOCK_FOLDED'),
    });
    fc.assert(
      fc.property(value, style, (data, options) => expectSame(stringify(data, options as object))),
      { numRuns: 500 },
    );
  });

  test('reads whatever people might type as the careful one does', () => {
    const piece = fc.constantFrom(
      'a',
      'b: ',
      '&',
      '*',
      '!',
      '%',
      '? ',
      '?',
      '1e999',
      '- ',
      '\n',
      '  ',
      '[',
      ']',
      '{',
      '}',
      ', ',
      ': ',
      '#',
      ' # x',
      "'",
      '"',
      '|',
      '>',
      '0',
      '1.5',
      '~',
      ':',
      '-',
      '\t',
      '\\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
        const text = pieces.join('');
        const quick = quickYaml(text);
        const other = careful(text);
        // The quick one may be less strict; what both take is the same.
        if (quick !== undefined && other !== undefined) expect([text, quick]).toEqual([text, other]);
      }),
      { numRuns: 3000 },
    );
  });
});
