import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { formatDiagnostic } from '../../../src/errors/diagnostic.ts';
import { wants } from '../../../src/spec/explain-issue.ts';
import { readYaml } from '../../../src/spec/read-yaml.ts';

const machine = z.strictObject({
  name: wants(z.string().regex(/^[a-z]\d$/), 'a letter and a digit'),
  role: z.enum(['control-plane', 'worker']),
  address: z.union([z.string(), z.array(z.string())]).optional(),
});
const schema = z.strictObject({
  kind: z.literal('Lab'),
  count: wants(z.int().min(1).max(9), 'a number from 1 to 9').optional(),
  machines: z.array(machine),
  mode: z
    .union([z.enum(['fast', 'slow']), z.strictObject({ fast: z.strictObject({ by: z.number() }).optional() })])
    .optional(),
});

function read(text: string): string[] {
  const result = readYaml(text, schema, 'lab.yaml');
  return result.ok ? [] : result.diagnostics.map(formatDiagnostic);
}

describe('readYaml()', () => {
  test('gives the value when nothing is wrong', () => {
    const result = readYaml('kind: Lab\nmachines: [{ name: m1, role: worker }]\n', schema, 'lab.yaml');
    expect(result.ok && result.value).toEqual({ kind: 'Lab', machines: [{ name: 'm1', role: 'worker' }] });
  });

  test.each([
    {
      name: 'unknown keys point at the key, say what is known and what was probably meant',
      text: 'kind: Lab\nmachine: []\nmachines:\n  - { name: m1, rol: worker, role: worker }\n',
      says: [
        'lab.yaml:2:1  machine: there is no such field; expected one of kind, count, machines, mode   FIELD_UNKNOWN\n    did you mean `machines`?',
        'lab.yaml:4:17  machines[0].rol: there is no such field; expected one of name, role, address   FIELD_UNKNOWN\n    did you mean `role`?',
      ],
    },
    {
      name: 'all problems come at once, top of the file first',
      text: 'kind: lab\ncount: many\nmachines:\n- name: M1\n  role: wroker\n- {}\n',
      says: [
        'lab.yaml:1:7  kind: `lab` cannot be used; expected Lab   FIELD_VALUE\n    did you mean `Lab`?',
        'lab.yaml:2:8  count: `many` cannot be used; expected a number from 1 to 9   FIELD_TYPE',
        'lab.yaml:4:9  machines[0].name: `M1` cannot be used; expected a letter and a digit   FIELD_VALUE',
        'lab.yaml:5:9  machines[0].role: `wroker` cannot be used; expected one of control-plane, worker   FIELD_VALUE\n    did you mean `worker`?',
        'lab.yaml:6:3  machines[1].name: is missing; expected a letter and a digit   FIELD_MISSING',
        'lab.yaml:6:3  machines[1].role: is missing; expected one of control-plane, worker   FIELD_MISSING',
      ],
    },
    {
      name: 'a mapping in a union is judged as the mapping it wants to be',
      text: 'kind: Lab\nmachines: []\nmode: { fast: { bye: 3 } }\n',
      says: [
        'lab.yaml:3:15  mode.fast.by: is missing; expected a number   FIELD_MISSING',
        'lab.yaml:3:17  mode.fast.bye: there is no such field; expected one of by   FIELD_UNKNOWN\n    did you mean `by`?',
      ],
    },
    {
      name: 'a key with nothing behind it points at the key',
      text: 'kind: Lab\nmachines:\n',
      says: ['lab.yaml:2:1  machines: nothing cannot be used; expected a list   FIELD_TYPE'],
    },
    {
      name: 'syntax errors stop there, with their place',
      text: 'kind: Lab\nmachines: [\n',
      says: [
        'lab.yaml:3:1  Flow sequence in block collection must be sufficiently indented and end with a ]   YAML_SYNTAX',
      ],
    },
    {
      name: 'a key that is there twice is a problem',
      text: 'kind: Lab\nkind: Lab\nmachines: []\n',
      says: ['lab.yaml:2:1  this key is there twice in one mapping   YAML_SYNTAX'],
    },
    {
      name: 'a second document is a problem',
      text: 'kind: Lab\nmachines: []\n---\nkind: Lab\n',
      says: ['lab.yaml:3:1  a second document starts here; only one is read   YAML_SYNTAX'],
    },
    {
      name: 'an empty file is a problem',
      text: '# nothing\n',
      says: ['lab.yaml:1:1  the file is empty; expected a YAML document   FIELD_MISSING'],
    },
    {
      name: 'a list where a mapping belongs',
      text: '- kind: Lab\n',
      says: ['lab.yaml:1:1  a list cannot be used; expected a mapping   FIELD_TYPE'],
    },
  ])('$name', ({ text, says }) => {
    expect(read(text)).toEqual(says);
  });

  test('anchors and aliases are followed for values and for positions', () => {
    expect(read('kind: Lab\nmachines:\n- &m { name: m1, role: cook }\n- *m\n')).toEqual([
      'lab.yaml:3:24  machines[0].role: `cook` cannot be used; expected one of control-plane, worker   FIELD_VALUE',
      'lab.yaml:3:24  machines[1].role: `cook` cannot be used; expected one of control-plane, worker   FIELD_VALUE',
    ]);
  });

  test('a file that is nested without end is refused, not a crash', () => {
    const deep = read(`${'['.repeat(5000)}${']'.repeat(5000)}`);
    expect(new Set(deep.map((line) => line.replace(/^\S+ +/, '')))).toContain(
      'lists or mappings are nested too deeply   YAML_SYNTAX',
    );
    // One error a bracket, all at one place, would hide everything else.
    expect(deep.length).toBeLessThan(10);
  });

  test('aliases that multiply into something huge are refused', () => {
    const bomb = [
      'a: &a [x,x,x,x,x,x,x,x,x]',
      ...'bcdefg'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdef'[i]}`).join(',')}]`),
    ];
    expect(read(bomb.join('\n'))).toEqual([
      'lab.yaml:1:1  Excessive alias count indicates a resource exhaustion attack   YAML_SYNTAX',
    ]);
  });
});
