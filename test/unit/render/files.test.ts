import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderCluster } from '../../../src/cluster-plan.ts';
import { describePlan } from '../../../src/plan/describe.ts';
import { makePlan } from '../../../src/plan/make-plan.ts';
import type { NodeFile } from '../../../src/plan/node-files.ts';
import { renderSteering, renderSteerTable } from '../../../src/render/nftables/steer.ts';
import { address } from '../../../src/std/address.ts';
import { freshFacts, program } from '../../support/facts.ts';
import { renderCases } from '../../support/render-cases.ts';
import { specOf } from '../../support/spec.ts';

/** A tree of files as one text. */
function asText(files: readonly NodeFile[]): string {
  return files.map(({ path, mode, content }) => `==> ${path} (${mode.toString(8)})\n${content}`).join('\n');
}

describe('files of a node', () => {
  test.each(renderCases)('$name', async ({ name, spec, behaviour, node, acceptUnsafe }) => {
    const { nodes } = renderCluster(spec, { node, behaviour, acceptUnsafe: new Set(acceptUnsafe), program });
    await expect(asText(nodes[0]?.files ?? [])).toMatchFileSnapshot(`../../golden/render/${name}.txt`);
  });
});

describe("the article's cluster", () => {
  const spec = specOf(readFileSync(new URL('../../../examples/article.yaml', import.meta.url), 'utf8'));

  test('the whole plan is as the golden file', async () => {
    const plan = makePlan({ spec, facts: freshFacts(spec), measured: 'drop', acceptUnsafe: new Set(), program });
    await expect(describePlan(plan, { columns: 160 })).toMatchFileSnapshot('../../golden/plan/article.txt');
  });

  test('all files of all masters are as the golden files', async () => {
    const { nodes } = renderCluster(spec, { program });
    for (const { node, files } of nodes) {
      await expect(asText(files)).toMatchFileSnapshot(`../../golden/render/article-${node}.txt`);
    }
  });
});

describe('the steering table', () => {
  test('two backends, and refusals are held', () => {
    const backends = [
      { address: address('fd01::55'), port: 6443 },
      { address: address('fd01::56'), port: 6443 },
    ];
    expect(renderSteering(6, backends, true)).toMatchInlineSnapshot(`
      "flush chain ip6 hairpin steer
      add rule ip6 hairpin steer meta l4proto tcp counter name steered dnat ip6 to numgen inc mod 2 map { 0 : fd01::55 . 6443, 1 : fd01::56 . 6443 }
      flush chain ip6 hairpin hold
      add rule ip6 hairpin hold counter name held drop
      "
    `);
  });

  test('nobody to steer to: the chains are empty and the balancer is used', () => {
    expect(renderSteering(4, [], false)).toMatchInlineSnapshot(`
      "flush chain ip hairpin steer
      flush chain ip hairpin hold
      "
    `);
  });

  test('the endpoint of a node with two families has a table for each', () => {
    const options = { port: 6443, proberUid: 0, uplinks: ['eth0', 'bond0.17'] };
    const four = renderSteerTable({
      ...options,
      family: 4,
      endpoints: [address('10.9.9.9')],
      node: address('10.0.0.1'),
    });
    const six = renderSteerTable({ ...options, family: 6, endpoints: [address('fd09::9')], node: address('fd00::1') });
    expect([four.split('\n')[0], six.split('\n')[0]]).toEqual(['add table ip hairpin', 'add table ip6 hairpin']);
    expect(six.replaceAll('ip6', 'ip').replaceAll('ipv6', 'ipv4')).toBe(
      four.replaceAll('10.9.9.9', 'fd09::9').replaceAll('10.0.0.1', 'fd00::1'),
    );
  });
});
