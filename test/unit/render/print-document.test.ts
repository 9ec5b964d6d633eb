import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { printDocument } from '../../../src/render/kubeadm/yaml.ts';

// What documents of kubeadm and of users are made of, and what YAML stumbles over.
const text = fc.oneof(
  fc.string(),
  fc.constantFrom(
    'true',
    'null',
    '~',
    '1e5',
    '0x1f',
    'v1.37.2',
    '10.0.0.1:6443',
    'a: b',
    '- x',
    '@@hairpin:join-token@@',
    '1m0s',
    '1h',
  ),
  fc.constantFrom(
    'two\nlines\n',
    ' leading',
    'trailing ',
    '#no',
    'a #b',
    '2026-11-27',
    '1.5',
    '',
    'fd00::1',
    '{}',
    '<<',
  ),
  fc.stringMatching(/^[a-z0-9./:-]{1,12}$/),
);
const { tree } = fc.letrec<{ tree: unknown; value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    text,
    fc.boolean(),
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.constantFrom(null, undefined),
    fc.array(tie('value'), { maxLength: 4 }),
    tie('tree'),
  ),
  tree: fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: true }),
}));

test.each(['---/', '--- a', '...', '%b', '-- a', '.. a'])(
  '%s is printed as the yaml library does in a document',
  (text) => {
    const document = { a: text, b: [text] };
    expect(printDocument(document)).toBe(stringify(document, { lineWidth: 0, aliasDuplicateObjects: false }));
  },
);

test('printDocument() prints what the yaml library prints', () => {
  fc.assert(
    fc.property(tree, (document) => {
      const library = stringify(document, { lineWidth: 0, aliasDuplicateObjects: false });
      expect(printDocument(document as Record<string, unknown>)).toBe(library);
    }),
    { numRuns: 2000 },
  );
});
