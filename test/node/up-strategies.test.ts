import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabInput } from '../../src/lab/spec/input.ts';
import { all, podsWithoutService, startPods, tally, UpLab } from '../support/up-lab.ts';

// The article's own strategies behind a balancer that cannot hairpin (alibaba-clb: drop), with real kubeadm.

const cases: readonly {
  readonly strategy: string;
  readonly lab: LabInput;
  readonly endpoint: string | undefined;
  readonly gap: Readonly<Record<string, 'some'>>;
}[] = [
  {
    strategy: 'bind-vip',
    lab: {},
    endpoint: '172.16.105.26:6443',
    gap: {},
  },
  {
    strategy: 'hosts',
    lab: { endpoint: { kind: 'domain' } },
    endpoint: undefined,
    // Pods do not read the node's /etc/hosts: they get the balancer, which loses the third that comes back to their node.
    gap: { 'pod on m1': 'some', 'pod on m2': 'some', 'pod on m3': 'some' },
  },
  {
    strategy: 'keepalived-haproxy',
    lab: { endpoint: { port: 9443 }, balancer: { like: 'alibaba-clb', backendPort: 9443 } },
    endpoint: '172.16.105.26:9443',
    gap: {},
  },
];

describe.each(cases)('$strategy', ({ strategy, lab: input, endpoint: given, gap }) => {
  let lab: UpLab;
  let first: Awaited<ReturnType<UpLab['hairpin']>>;
  let endpoint: string;

  beforeAll(async () => {
    lab = await UpLab.start({ ...input, name: `t-up-${strategy.slice(0, 6)}` });
    const { domain, port } = lab.lab.spec.endpoint;
    endpoint = given ?? `${domain ?? ''}:${port}`;
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

  test('300 of 300 connections to the endpoint from every client class, but for the known gap', async () => {
    const found = await tally(lab, endpoint, 300, Object.keys(gap));
    const classes = Object.entries(found).map(
      ([name, n]) => [name, name in gap ? (n > 0 && n < 60 ? 'some' : n) : n] as const,
    );
    expect(Object.fromEntries(classes)).toEqual({ ...all(lab, 300), ...gap });
  });

  test('a second up plans nothing', async () => {
    const again = await lab.hairpin('up', '--yes', '--strategy', strategy);
    expect(again.code, again.told).toBe(0);
    expect(again.result).toMatchObject({ changed: false, ok: true });
  });

  test('the doctor finds nothing', async () => {
    expect(await lab.complaints()).toEqual([]);
  });

  test('reset leaves nothing of it', async () => {
    const reset = await lab.hairpin('reset', '--yes');
    expect(reset.code, reset.told).toBe(0);
    const script = `ls -d /var/lib/hairpin /etc/hairpin /etc/kubernetes/admin.conf 2>/dev/null; find /etc -name '*hairpin*'; grep hairpin /etc/hosts; ip -oneline address show to 172.16.105.26; nft list tables | grep hairpin`;
    const left = await Promise.all(lab.nodes.map((node) => lab.sh(node, script)));
    // The lab's own files on its nodes have its name in them.
    expect(
      left.flatMap((text) =>
        text.split('\n').filter((line) => line !== '' && !/hairpin-lab|dpkg.cfg.d|sshd_config.d/.test(line)),
      ),
    ).toEqual([]);
  });
});
