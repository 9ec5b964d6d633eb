import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { all, podsWithoutService, startPods, tally, UpLab } from '../support/up-lab.ts';

// Older real kubeadms behind a balancer that cannot hairpin. They dial the endpoint in phases in which newer ones do not
// (v1.34 and v1.35 in upload-config), so the endpoint has to work earlier. Two masters: joining is what differs.
// HAIRPIN_TEST_VERSIONS=v1.34.4 runs one of them: each is compiled first, which takes about 8 minutes.

const versions = (process.env.HAIRPIN_TEST_VERSIONS ?? 'v1.34.4,v1.35.4,v1.36.3').split(',');
const cases = versions.flatMap((version) => ['steer', 'bind-vip'].map((strategy) => ({ version, strategy })));

describe.each(cases)('$version with $strategy', ({ version, strategy }) => {
  let lab: UpLab;
  let first: Awaited<ReturnType<UpLab['hairpin']>>;

  beforeAll(async () => {
    lab = await UpLab.start({ name: 't-up-version', kubernetes: version, masters: 2 });
    first = await lab.hairpin('up', '--yes', '--strategy', strategy);
    // The rest would only wait for time-outs.
    if (first.code !== 0) throw new Error(first.told);
  });
  afterAll(async () => lab?.[Symbol.asyncDispose]());

  test('up brings the cluster up, and every check is ok', async () => {
    expect(first.code, first.told).toBe(0);
    expect(first.result).toMatchObject({ changed: true, ok: true });
    expect(await lab.kubectl(`get nodes -o jsonpath='{.items[*].status.nodeInfo.kubeletVersion}'`)).toBe(
      lab.nodes.map(() => version).join(' '),
    );
  });

  test('a pod on each node reaches kubernetes.default', async () => {
    await startPods(lab);
    expect(await podsWithoutService(lab)).toEqual([]);
  });

  test('300 of 300 connections to the endpoint from every client class', async () => {
    expect(await tally(lab, '172.16.105.26:6443', 300)).toEqual(all(lab, 300));
  });

  test('a second up plans nothing', async () => {
    const again = await lab.hairpin('up', '--yes', '--strategy', strategy);
    expect(again.code, again.told).toBe(0);
    expect(again.result).toMatchObject({ changed: false, ok: true });
  });
});
