import { z } from 'zod';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import { readYaml } from '../../spec/read-yaml.ts';
import { parseDuration } from '../../std/duration.ts';
import { balancerCatalog } from './catalog.ts';
import type { BalancerCatalog, LabInput } from './input.ts';
import type { LabSpec } from './lab-spec.ts';
import { resolveLab } from './resolve.ts';

const machines = z.union([z.int(), z.array(z.strictObject({ addresses: z.array(z.string()) }))]);
const port = z.int().min(1).max(65_535);
const milliseconds = z.string().transform((text, cx) => {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  cx.addIssue({ code: 'custom', message: `\`${text}\` is not a duration such as 2s or 500ms` });
  return z.NEVER;
});

const balancer = z.strictObject({
  like: z.string().optional(),
  backendPort: port.optional(),
  terminateTls: z.boolean().optional(),
  scheduling: z.enum(['round-robin', 'source-hash']).optional(),
  healthCheck: z
    .strictObject({
      protocol: z.enum(['tcp', 'http', 'https']).optional(),
      port: port.optional(),
      path: z.string().startsWith('/').optional(),
      interval: milliseconds.optional(),
      timeout: milliseconds.optional(),
      rise: z.int().min(1).optional(),
      fall: z.int().min(1).optional(),
    })
    .optional(),
  probeSource: z.string().optional(),
  ejectedFlows: z.enum(['keep', 'reset', 'drain']).optional(),
  drain: milliseconds.optional(),
  allDown: z.enum(['refuse', 'all']).optional(),
});

/** `lab.yaml` as it may be written. Everything has a default; the rules between fields are in resolve.ts. */
export const labSchema = z.strictObject({
  apiVersion: z.literal('hairpin/v1alpha1'),
  kind: z.literal('Lab'),
  metadata: z.strictObject({ name: z.string().optional() }).optional(),
  spec: z
    .strictObject({
      tier: z.enum(['wire', 'node']).optional(),
      kubernetes: z.string().optional(),
      ip: z
        .union([z.enum(['4', '6', 'dual']), z.literal(4), z.literal(6)])
        .transform((value) => String(value) as '4' | '6' | 'dual')
        .optional(),
      masters: machines.optional(),
      workers: machines.optional(),
      clients: machines.optional(),
      network: z
        .strictObject({
          kind: z.enum(['routed', 'segment']).optional(),
          nodes: z.array(z.string()).optional(),
          clients: z.array(z.string()).optional(),
          pods: z.array(z.string()).optional(),
          services: z.array(z.string()).optional(),
        })
        .optional(),
      endpoint: z
        .strictObject({
          kind: z.enum(['vip', 'domain']).optional(),
          domain: z.string().optional(),
          addresses: z.array(z.string()).optional(),
          port: port.optional(),
        })
        .optional(),
      balancer: z.union([z.string(), balancer]).optional(),
      apiServerPort: port.optional(),
      bare: z.boolean().optional(),
    })
    .optional(),
});

export type LabYamlResult =
  | { readonly ok: true; readonly spec: LabSpec }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** Reads `lab.yaml`: a whole spec, or everything that is wrong with it, each with its line and column. Pure. */
export function parseLabYaml(
  text: string,
  file: string,
  opts: { readonly name?: string | undefined; readonly catalog?: BalancerCatalog } = {},
): LabYamlResult {
  const read = readYaml(text, labSchema, file);
  if (!read.ok) return read;
  const input = toInput(read.value);
  const resolved = resolveLab(
    opts.name === undefined ? input : { ...input, name: opts.name },
    opts.catalog ?? balancerCatalog(),
  );
  if (resolved.ok) return resolved;
  const diagnostics = resolved.problems.map(({ path, ...finding }) => read.source.diagnose(path, finding));
  return { ok: false, diagnostics: diagnostics.toSorted((a, b) => a.line - b.line || a.column - b.column) };
}

function toInput(file: z.output<typeof labSchema>): LabInput {
  const { balancer: written, ...rest } = file.spec ?? {};
  return {
    ...rest,
    name: file.metadata?.name,
    balancer: typeof written === 'object' ? balancerInput(written) : written,
  };
}

function balancerInput(written: z.output<typeof balancer>): LabInput['balancer'] {
  const { drain, healthCheck, ...rest } = written;
  const { interval, timeout, ...check } = healthCheck ?? {};
  return { ...rest, drainMs: drain, healthCheck: { ...check, intervalMs: interval, timeoutMs: timeout } };
}
