import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { clusterJsonSchema } from '../../../src/spec/json-schema.ts';
import { repoRoot } from '../../support/imports.ts';

const committed: unknown = JSON.parse(readFileSync(join(repoRoot, 'schema/cluster.schema.json'), 'utf8'));
const validate = new Ajv2020({ strict: true, strictRequired: false, allErrors: true }).compile(committed as object);
const read = (path: string): unknown => parse(readFileSync(join(repoRoot, path), 'utf8'));

describe('schema/cluster.schema.json', () => {
  test('is what the schema of the source says', () => {
    expect(committed).toEqual(clusterJsonSchema());
  });

  const examples = readdirSync(join(repoRoot, 'examples')).filter((name) => /^(?!lab).*\.yaml$/.test(name));
  test.each(examples.map((name) => ({ name })))('accepts examples/$name', ({ name }) => {
    validate(read(`examples/${name}`));
    expect(validate.errors ?? []).toEqual([]);
  });

  test('refuses what the reader refuses, at the same places', () => {
    validate(read('test/fixtures/spec/endpoint-both.yaml'));
    expect(validate.errors?.map((error) => `${error.instancePath} ${error.message ?? ''}`)).toEqual([
      '/spec/endpoint must match exactly one schema in oneOf',
      '/spec/strategy must be string',
      '/spec/strategy must be equal to one of the allowed values',
      '/spec/strategy must NOT have more than 1 properties',
      '/spec/strategy/steer must NOT have additional properties',
      '/spec/strategy must match a schema in anyOf',
      '/spec/nodes must NOT have fewer than 1 items',
    ]);
  });

  test('knows the words of every field, so that an editor can show them', () => {
    const wordless: string[] = [];
    const visit = (schema: ReturnType<typeof clusterJsonSchema>, path: string) => {
      for (const branch of schema.anyOf ?? []) visit(branch, path);
      if (schema.items !== undefined) visit(schema.items, `${path}[]`);
      for (const [key, field] of Object.entries(schema.properties ?? {})) {
        if (field.description === undefined) wordless.push(`${path}.${key}`);
        visit(field, `${path}.${key}`);
      }
    };
    visit(clusterJsonSchema(), '');
    // Raw documents are explained by Kubernetes, not by us.
    expect(wordless).toEqual(['.spec.kubeadm.documents[].apiVersion', '.spec.kubeadm.documents[].kind']);
  });
});
