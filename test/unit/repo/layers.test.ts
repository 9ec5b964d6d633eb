import { describe, expect, test } from 'vitest';
import { sourceFiles } from '../../support/imports.ts';

const files = sourceFiles();

/** Rooms that compute and nothing else (design.md, "Layer rule"). */
const pureRooms = new Set(['spec', 'strategy', 'render', 'plan', 'std', 'errors']);

/** What pure rooms may import from outside: libraries and built-ins that do no I/O. */
const pureLibraries = new Set(['zod', 'yaml', 'js-yaml', 'ipaddr.js', 'diff', 'node:util', 'node:crypto', 'node:path']);

/** The only places that may change a node, by name (design.md, "Layer rule"); `node` holds the adapters themselves. */
const mayChangeNodes = [
  'src/apply/',
  'src/node/',
  'src/balancer/probe/',
  'src/drill/faults/',
  // Traffic runs on nodes; what it needs there is below /run and /var/tmp.
  'src/drill/site/',
  'src/lab/',
  'src/agent/',
];

describe('layers', () => {
  test('pure rooms import only pure rooms and libraries without I/O', () => {
    const offences = files
      .filter((file) => pureRooms.has(file.room))
      .flatMap((file) => file.imports.filter((name) => !isPure(name)).map((name) => `${file.path} imports ${name}`));
    expect(offences).toEqual([]);
  });

  test('only the named rooms change nodes', () => {
    const offences = files
      .filter((file) => !mayChangeNodes.some((room) => file.path.startsWith(room)))
      .filter((file) => /\.(?:change|writeFile)\(\s*[[{]/.test(file.text))
      .map((file) => file.path);
    expect(offences).toEqual([]);
  });

  test('the command line uses the library and nothing behind it', () => {
    const offences = files
      .filter((file) => file.room === 'cli')
      .flatMap((file) =>
        file.imports
          .filter((name) => name.startsWith('src/') && name !== 'src/index.ts' && !name.startsWith('src/cli/'))
          .map((name) => `${file.path} imports ${name}`),
      );
    expect(offences).toEqual([]);
  });

  test('nothing but the command line imports the command line', () => {
    const offences = files
      .filter((file) => file.room !== 'cli')
      .flatMap((file) =>
        file.imports.filter((name) => name.startsWith('src/cli/')).map((name) => `${file.path} imports ${name}`),
      );
    expect(offences).toEqual([]);
  });

  test('the product does not import the lab', () => {
    const product = new Set([
      'spec',
      'facts',
      'strategy',
      'render',
      'plan',
      'apply',
      'node',
      'balancer',
      'bundle',
      'kube',
      'check',
      'doctor',
      'drill',
      'agent',
      'program',
      'std',
      'errors',
      'report',
    ]);
    const offences = files
      .filter((file) => product.has(file.room))
      .flatMap((file) =>
        file.imports.filter((name) => name.startsWith('src/lab/')).map((name) => `${file.path} imports ${name}`),
      );
    expect(offences).toEqual([]);
  });
});

function isPure(name: string): boolean {
  if (name.startsWith('src/')) return pureRooms.has(name.split('/')[1] ?? '');
  return pureLibraries.has(name);
}
