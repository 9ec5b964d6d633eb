import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hostsBlockOf, removeHostsBlock, setHostsBlock } from '../../../src/render/hosts/block.ts';

const name = fc.constantFrom('localhost', 'm1', 'db', 'cluster.k8sapiserver', 'api.prod.example');
const address = fc.constantFrom('127.0.0.1', '::1', '10.0.0.9', 'fd00::9', '172.16.105.26');
const entry = fc
  .tuple(address, fc.array(name, { minLength: 1, maxLength: 3 }), fc.constantFrom('', ' # by hand', '\t'))
  .map(([ip, names, tail]) => `${ip}\t${names.join(' ')}${tail}`);
const otherLine = fc.constantFrom('', '# a comment', '   ', '#127.0.0.1 cluster.k8sapiserver', 'nonsense');
const file = fc
  .tuple(fc.array(fc.oneof(entry, otherLine), { maxLength: 8 }), fc.constantFrom('', '\n', '\n\n'))
  .map(([lines, tail]) => lines.join('\n') + tail);
const ours = fc.array(
  fc.tuple(address, fc.constantFrom('cluster.k8sapiserver', 'api.prod.example')).map(([ip, host]) => `${ip} ${host}`),
  { maxLength: 3 },
);

describe('setHostsBlock()', () => {
  test('taking the block out gives back the file as it was', () =>
    fc.assert(
      fc.property(file, ours, (text, lines) => {
        expect(removeHostsBlock(setHostsBlock(text, lines))).toBe(text);
      }),
    ));

  test('doing it twice changes nothing', () =>
    fc.assert(
      fc.property(file, ours, (text, lines) => {
        const once = setHostsBlock(text, lines);
        expect(setHostsBlock(once, lines)).toBe(once);
      }),
    ));

  test('only the last setting counts', () =>
    fc.assert(
      fc.property(file, ours, ours, (text, first, second) => {
        expect(setHostsBlock(setHostsBlock(text, first), second)).toBe(setHostsBlock(text, second));
      }),
    ));

  test('a name of ours means what we say: the first line that has it is ours', () =>
    fc.assert(
      fc.property(file, ours, (text, lines) => {
        const entries = setHostsBlock(text, lines)
          .split('\n')
          .map((line) => (line.split('#')[0] ?? '').split(/\s+/).filter((word) => word !== ''));
        for (const host of new Set(lines.map((line) => line.split(' ')[1] ?? ''))) {
          const wanted = lines.filter((line) => line.endsWith(` ${host}`)).map((line) => line.split(' ')[0]);
          expect(entries.filter((words) => words.slice(1).includes(host)).map((words) => words[0])).toEqual(wanted);
        }
      }),
    ));

  test('other names of a line that is put out of force go on working', () => {
    const text = '127.0.0.1 localhost\n10.0.0.9 db cluster.k8sapiserver # by hand\n';
    expect(setHostsBlock(text, ['172.16.105.26 cluster.k8sapiserver'])).toBe(
      [
        '# hairpin begin',
        '172.16.105.26 cluster.k8sapiserver',
        '10.0.0.9 db',
        '# hairpin end',
        '127.0.0.1 localhost',
        '# hairpin disabled: 10.0.0.9 db cluster.k8sapiserver # by hand',
        '',
      ].join('\n'),
    );
  });

  test('a block whose end somebody deleted loses its fence only', () => {
    expect(removeHostsBlock('# hairpin begin\n10.0.0.1 a\n10.0.0.2 mine\n')).toBe('10.0.0.1 a\n10.0.0.2 mine\n');
  });

  test('hostsBlockOf() gives the lines of the block', () => {
    expect(hostsBlockOf(setHostsBlock('127.0.0.1 localhost\n', ['10.0.0.1 a']))).toEqual(['10.0.0.1 a']);
    expect(hostsBlockOf('127.0.0.1 localhost\n')).toBeUndefined();
  });
});
