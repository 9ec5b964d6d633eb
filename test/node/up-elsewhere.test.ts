import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabInput } from '../../src/lab/spec/input.ts';
import { all, podsWithoutService, startPods, tally, UpLab } from '../support/up-lab.ts';

// The same real kubeadm elsewhere: behind a balancer whose address every backend has itself (gcp-internal: local), where
// a master always gets its own answer and is refused at once while its apiserver is down; with IPv6 alone; and where the
// endpoint is a name that DNS knows, with two addresses. Two masters: nothing that is shown here needs a third.

const cases: readonly { readonly name: string; readonly strategy: string; readonly lab: LabInput }[] = [
  { name: 'steer behind local', strategy: 'steer', lab: { balancer: 'gcp-internal' } },
  { name: 'bind-vip behind local', strategy: 'bind-vip', lab: { balancer: 'gcp-internal' } },
  { name: 'hosts behind local', strategy: 'hosts', lab: { balancer: 'gcp-internal', endpoint: { kind: 'domain' } } },
  { name: 'steer with IPv6 alone, behind drop', strategy: 'steer', lab: { ip: '6' } },
  { name: 'steer with a domain name, behind drop', strategy: 'steer', lab: { endpoint: { kind: 'domain' } } },
  {
    name: 'direct with a domain name, behind a balancer that hairpins',
    strategy: 'direct',
    lab: { balancer: 'works', endpoint: { kind: 'domain' } },
  },
];

describe.each(cases)('$name', ({ strategy, lab: input }) => {
  let lab: UpLab;
  let first: Awaited<ReturnType<UpLab['hairpin']>>;

  beforeAll(async () => {
    lab = await UpLab.start({ ...input, name: 't-up-else', masters: 2 });
    first = await lab.hairpin('up', '--yes', '--strategy', strategy);
  });
  afterAll(async () => lab?.[Symbol.asyncDispose]());

  test('up brings the cluster up, and every check is ok', () => {
    expect(first.code, first.told).toBe(0);
    expect(first.result).toMatchObject({ changed: true, ok: true });
  });

  test('a pod on each node reaches kubernetes.default', async () => {
    await startPods(lab);
    expect(await podsWithoutService(lab)).toEqual([]);
  });

  test('300 of 300 connections to the endpoint from every client class', async () => {
    const { domain, addresses, port } = lab.lab.spec.endpoint;
    const address = addresses[0]?.text ?? '';
    const host = domain ?? (address.includes(':') ? `[${address}]` : address);
    expect(await tally(lab, `${host}:${port}`, 300)).toEqual(all(lab, 300));
  });

  test('a second up plans nothing', async () => {
    const again = await lab.hairpin('up', '--yes', '--strategy', strategy);
    expect(again.code, again.told).toBe(0);
    expect(again.result).toMatchObject({ changed: false, ok: true });
  });

  test('the doctor finds nothing', async () => {
    expect(await lab.complaints()).toEqual([]);
  });
});
