import { expect, test } from 'vitest';
import { formatDiagnostic } from '../../../src/errors/diagnostic.ts';
import { clusterYaml } from '../../../src/lab/spec/cluster-yaml.ts';
import type { LabInput } from '../../../src/lab/spec/input.ts';
import { readSpec } from '../../../src/spec/read-spec.ts';
import { labSpec } from '../../support/lab-spec.ts';

const labs: readonly LabInput[] = [
  { tier: 'wire' },
  { tier: 'node', masters: 1, workers: 0 },
  { tier: 'node', ip: '6' },
  { tier: 'node', ip: 'dual', balancer: 'lvs-dr' },
  { tier: 'node', endpoint: { kind: 'domain' }, balancer: 'aws-nlb-preserve', kubernetes: 'v1.34.4' },
  {
    tier: 'wire',
    endpoint: { port: 9443 },
    balancer: { like: 'drop', backendPort: 9443, healthCheck: { intervalMs: 250 } },
  },
];

test.each(labs)('what `lab up` writes for %o is a spec without a mistake', (input) => {
  const spec = labSpec(input);
  const text = clusterYaml(spec, { sshConfig: spec.tier === 'node' ? '/lab/ssh_config' : undefined });
  const read = readSpec(text, {
    file: '/lab/cluster.yaml',
    products: {},
  });
  if (!read.ok) throw new Error(read.diagnostics.map(formatDiagnostic).join('\n'));
  expect({
    nodes: read.spec.nodes.map((node) => node.name),
    version: read.spec.kubernetes.version.text,
  }).toEqual({
    nodes: spec.machines.filter(({ role }) => role !== 'client').map(({ name }) => name),
    version: spec.kubernetes,
  });
});
