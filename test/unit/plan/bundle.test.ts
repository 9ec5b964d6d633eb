import { describe, expect, test } from 'vitest';
import type { NodeFacts } from '../../../src/facts/types.ts';
import type { PlanBundle } from '../../../src/plan/bundle.ts';
import { makePlan } from '../../../src/plan/make-plan.ts';
import { makeSpec } from '../../support/any-spec.ts';
import { clusterFacts, freshNode, known, program, seen } from '../../support/facts.ts';

const spec = makeSpec({
  masters: 1,
  workers: 1,
  ip: 4,
  version: 'v1.37.2',
  bundle: true,
  cni: 'none',
  strategy: { name: 'steer', workers: false },
});
const bundle: PlanBundle = {
  version: 'v1.37.2',
  arch: 'amd64',
  files: [{ path: '/usr/bin/kubeadm', sha256: 'a'.repeat(64), size: 300_000_000 }],
  images: [{ size: 500_000_000 }],
  packages: [],
  tools: ['kubeadm', 'nft', 'ss', 'conntrack', 'ip'],
};
const bash = { path: '/usr/bin/bash', version: '5' };
const bare: Partial<NodeFacts> = { tools: known({ bash }), files: known({}) };

function plan(facts: Partial<NodeFacts>, brought: PlanBundle | undefined = bundle) {
  const nodes = spec.nodes.map((node) =>
    seen(node.name, { ...freshNode(spec, node), ...bare, ...(node.name === 'w1' ? facts : {}) }),
  );
  return makePlan({
    spec,
    facts: clusterFacts(nodes),
    measured: 'drop',
    acceptUnsafe: new Set(),
    bundle: brought,
    program,
  });
}
const os = (machine: string): Partial<NodeFacts> => ({
  os: known({
    id: 'debian',
    idLike: [],
    versionId: '12',
    prettyName: 'Debian',
    machine,
    hostname: 'w1',
    cpus: 1,
    systemd: true,
  }),
});
const disk = (freeBytes: number): Partial<NodeFacts> => ({
  disks: known(
    ['/var/lib/containerd', '/var/lib/hairpin'].map((path) => ({
      path,
      mount: '/',
      totalBytes: 1e12,
      freeBytes,
      freeInodes: 1e6,
    })),
  ),
});

describe('a plan with a bundle', () => {
  test('installs it and imports its images on each bare node, before anything else', () => {
    const { blockers, steps } = plan({});
    expect(blockers).toEqual([]);
    expect(steps.filter(({ phase }) => phase === 'prepare').map(({ id, undo }) => [id, undo.is])).toEqual([
      ['m1/install-bundle', 'run'],
      ['m1/import-images', 'nothing'],
      ['w1/install-bundle', 'run'],
      ['w1/import-images', 'nothing'],
    ]);
  });

  test('does not install again what an earlier run has installed', () => {
    const tool = { path: '/x', version: '1' };
    const file = { sha256: 'a'.repeat(64), mode: '755', owner: 'root:root', bytes: 1 };
    const installed: Partial<NodeFacts> = {
      tools: known({ bash, kubeadm: tool, nft: tool, ss: tool, conntrack: tool, ip: tool }),
      files: known({ '/usr/bin/kubeadm': file }),
    };
    const prepares = (facts: Partial<NodeFacts>) =>
      plan(facts)
        .steps.filter(({ node, phase }) => node === 'w1' && phase === 'prepare')
        .map(({ kind }) => kind);
    expect(prepares(installed)).toEqual(['import-images']);
    const changed = known({ '/usr/bin/kubeadm': { ...file, sha256: 'b'.repeat(64) } });
    expect(prepares({ ...installed, files: changed })).toEqual(['install-bundle', 'import-images']);
  });

  test.each([
    {
      name: 'another version',
      facts: {},
      brought: { ...bundle, version: 'v1.36.3' },
      want: ['BUNDLE_VERSION', undefined, './bundle.tar has Kubernetes v1.36.3, the cluster is to be v1.37.2'],
    },
    {
      name: 'another architecture',
      facts: os('aarch64'),
      brought: bundle,
      want: ['BUNDLE_ARCH', 'w1', './bundle.tar is for amd64, and w1 is aarch64'],
    },
    {
      name: 'a disk without room for it',
      facts: disk(1_500_000_000),
      brought: bundle,
      want: ['DISK_FULL', 'w1', '/ on w1 has 1500 MB free; the bundle needs 1870 MB there'],
    },
  ])('$name is an error before anything is changed', ({ facts, brought, want }) => {
    expect(plan(facts, brought).blockers.map(({ code, node, problem }) => [code, node, problem])).toEqual([want]);
  });

  test('a program that the strategy needs and the bundle has not is named', () => {
    const { blockers } = plan({}, { ...bundle, tools: ['kubeadm', 'ss', 'conntrack', 'ip'] });
    expect(blockers.map(({ code, node, hint }) => [code, node, hint])).toEqual([
      ['TOOL_MISSING', 'm1', 'install nft there: the bundle has it not'],
    ]);
  });
});
