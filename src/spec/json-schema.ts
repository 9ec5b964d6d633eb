import { z } from 'zod';
import { clusterSchema } from './schema.ts';

/** The part of JSON Schema that ours uses. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly title?: string;
  readonly description?: string;
  readonly type?: string;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly anyOf?: readonly JsonSchema[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly examples?: readonly unknown[];
}

/** JSON Schema of cluster.yaml as it is written, for editors: `# yaml-language-server: $schema=…`. */
export function clusterJsonSchema(): JsonSchema {
  const schema = z.toJSONSchema(clusterSchema, {
    io: 'input',
    target: 'draft-2020-12',
    // zod leaves out examples and defaults of fields that are parsed into something else; ours are what is written.
    override: ({ zodSchema, jsonSchema }) => {
      const examples: unknown = z.globalRegistry.get(zodSchema)?.examples;
      if (Array.isArray(examples)) Object.assign(jsonSchema, { examples });
      if (zodSchema instanceof z.ZodDefault) Object.assign(jsonSchema, { default: zodSchema.def.defaultValue });
    },
  }) as JsonSchema;
  return { ...schema, title: 'hairpin cluster.yaml' };
}
