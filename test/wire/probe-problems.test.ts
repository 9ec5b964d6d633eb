import { describe, expect, test } from 'vitest';
import { changeBalancer } from '../../src/lab/balancer/client.ts';
import { setDns } from '../../src/lab/dns/start.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import type { LabInput } from '../../src/lab/spec/input.ts';
import { LocalNode } from '../../src/node/local.ts';
import { untilInRotation, wireLab } from '../support/balancer-lab.ts';
import { inShort, probeLab, probeRequest, withoutApiservers } from '../support/probe-lab.ts';

const healthCheck = { protocol: 'tcp', intervalMs: 300, timeoutMs: 3000, rise: 2, fall: 3 } as const;
const masters = ['m1', 'm2', 'm3'];

async function labWith(input: LabInput = {}): Promise<Lab> {
  const lab = await wireLab({
    name: 'prb-problems',
    masters: 3,
    workers: 1,
    clients: 0,
    balancer: { like: 'drop', healthCheck },
    ...input,
  });
  await untilInRotation(lab, masters);
  return lab;
}

/** Loads rules in a namespace of the lab. */
async function rules(lab: Lab, netns: string, text: string): Promise<void> {
  const result = await lab.cx.run(['ip', 'netns', 'exec', netns, 'nft', '-f', '-'], { stdin: text });
  expect(result.stderr).toBe('');
}

describe('runHairpinProbe() tells apart', () => {
  test('a balancer that forwards to another port, before anything serves', async () => {
    await using lab = await labWith();
    await withoutApiservers(lab);
    const report = await probeLab(lab, { backendPort: 9443 });
    expect(inShort(report).problems).toEqual(['WRONG_BACKEND_PORT m1 m2 m3 w1']);
    expect(report.verdict.problems[0]?.text).toBe(
      'The balancer forwards to port 6443 of the masters, and the spec says 9443',
    );
  });

  test('a balancer whose checks never reach the masters', async () => {
    await using lab = await labWith();
    await withoutApiservers(lab);
    for (const name of masters) {
      const from = lab.spec.machines.flatMap((machine) => machine.addresses.map((a) => a.text)).join(', ');
      // A security group that lets in the nodes and nobody else.
      const text = `table inet guard { chain in { type filter hook prerouting priority -400; policy accept; iifname != "lo" ip saddr != { ${from} } tcp dport 6443 drop; }\n}\n`;
      await rules(lab, `hp-prb-problems-${name}`, text);
    }
    await untilInRotation(lab, []);
    const report = await probeLab(lab);
    expect(inShort(report)).toEqual({
      nodes: 'm1 unreachable, m2 unreachable, m3 unreachable, w1 unreachable',
      behaviour: undefined,
      problems: ['NO_HEALTHY_BACKEND m1 m2 m3 w1'],
    });
  });

  test('a balancer that reaches the masters and lets no node in', async () => {
    await using lab = await labWith();
    const from = lab.spec.machines.flatMap((machine) => machine.addresses.map((a) => a.text)).join(', ');
    const text = `table inet guard { chain pre { type filter hook prerouting priority -400; policy accept; ip saddr { ${from} } ip daddr ${lab.spec.endpoint.addresses[0]?.text} drop; }\n}\n`;
    await rules(lab, 'hp-prb-problems-fabric', text);
    expect(inShort(await probeLab(lab))).toEqual({
      nodes: 'm1 unreachable, m2 unreachable, m3 unreachable, w1 unreachable',
      behaviour: undefined,
      problems: ['NODES_BLOCKED m1 m2 m3 w1'],
    });
  });

  test('a fabric that drops what would come back, so that nothing can be counted', async () => {
    await using lab = await labWith();
    // Just before the machine, and after the fabric has settled on a backend: dropped any earlier, the repeated SYN would
    // be sent to another one, and nothing would time out.
    for (const { name, addresses } of lab.spec.machines.filter(({ role }) => role === 'control-plane')) {
      const own = addresses.map((a) => `ip saddr ${a.text} ip daddr ${a.text} drop;`).join(' ');
      const text = `table netdev guard { chain in { type filter hook ingress device "eth0" priority 0; policy accept; ${own} }\n}\n`;
      await rules(lab, `hp-prb-problems-${name}`, text);
    }
    expect(inShort(await probeLab(lab))).toEqual({
      nodes: 'm1 drop-in-fabric, m2 drop-in-fabric, m3 drop-in-fabric, w1 works',
      behaviour: 'drop',
      problems: [],
    });
  });

  test('a balancer that chooses by source address', async () => {
    await using lab = await labWith({ balancer: { like: 'works', scheduling: 'source-hash', healthCheck } });
    const report = await probeLab(lab);
    // The hash (its seed is new in each lab) decides who meets itself, always or never; whoever does not is not judged.
    for (const node of report.verdict.nodes.slice(0, 3)) {
      expect(node.class).toBe(node.bySelf > 0 ? 'works' : 'undetermined');
      expect([0, 30]).toContain(node.bySelf);
    }
    const never = report.verdict.nodes.slice(0, 3).filter((node) => node.class === 'undetermined').length;
    expect(report.verdict.behaviour).toBe(never === 3 ? undefined : 'works');
  });

  test('a node that redirects the endpoint itself', async () => {
    await using lab = await labWith();
    const vip = lab.spec.endpoint.addresses[0]?.text;
    const text = `table ip lure { chain out { type nat hook output priority -100; ip daddr ${vip} tcp dport 6443 dnat to 172.16.104.55:6443; }\n}\n`;
    await rules(lab, 'hp-prb-problems-m1', text);
    expect(inShort(await probeLab(lab))).toEqual({
      nodes: 'm1 redirected, m2 drop, m3 drop, w1 works',
      behaviour: 'drop',
      problems: ['REDIRECTED m1'],
    });
  });

  test('a node without a route to the endpoint', async () => {
    await using lab = await labWith();
    const result = await lab.exec('m2', ['ip', 'route', 'del', 'default']);
    expect(result.stderr).toBe('');
    const report = await probeLab(lab);
    expect(inShort(report).problems).toEqual(['NO_ROUTE m2']);
    expect(inShort(report).behaviour).toBe('drop');
  });

  test('a name that does not resolve', async () => {
    await using lab = await labWith({ endpoint: { kind: 'domain' } });
    await setDns(lab.cx.paths, lab.spec.endpoint.domain ?? '', []);
    const report = await probeLab(lab);
    expect(inShort(report)).toEqual({
      nodes: 'm1 unreachable, m2 unreachable, m3 unreachable, w1 unreachable',
      behaviour: undefined,
      problems: ['NAME_DOES_NOT_RESOLVE m1 m2 m3 w1'],
    });
  });

  test('a name that resolves: the balancer behind it is measured', async () => {
    await using lab = await labWith({ endpoint: { kind: 'domain' } });
    expect(inShort(await probeLab(lab))).toEqual({
      nodes: 'm1 drop, m2 drop, m3 drop, w1 works',
      behaviour: 'drop',
      problems: [],
    });
  });

  test('a node that cannot be asked', async () => {
    await using lab = await labWith();
    const gone = new LocalNode('w1', ['ip', 'netns', 'exec', 'no-such-namespace']);
    const nodes = probeRequest(lab).nodes.map((one) => (one.node.name === 'w1' ? { ...one, node: gone } : one));
    const report = await probeLab(lab, { nodes });
    expect(inShort(report)).toEqual({
      nodes: 'm1 drop, m2 drop, m3 drop, w1 not-asked',
      behaviour: 'drop',
      problems: ['NODE_NOT_ASKED w1'],
    });
  });

  test('a balancer that has no healthy backend and refuses', async () => {
    await using lab = await labWith();
    for (const name of masters) await changeBalancer(lab.cx.paths, { op: 'backend', name, forced: 'out' });
    await untilInRotation(lab, []);
    const report = await probeLab(lab);
    expect(inShort(report)).toEqual({
      nodes: 'm1 unreachable, m2 unreachable, m3 unreachable, w1 unreachable',
      behaviour: undefined,
      problems: ['NO_HEALTHY_BACKEND m1 m2 m3 w1'],
    });
    expect(report.verdict.problems[0]?.text).toContain('although its checks reach the masters');
    expect(report.verdict.nodes.map((node) => node.refused)).toEqual([30, 30, 30, 30]);
  });

  test('a balancer that is switched off', async () => {
    await using lab = await labWith();
    await changeBalancer(lab.cx.paths, { op: 'power', to: 'off' });
    const report = await probeLab(lab);
    expect(inShort(report).problems).toEqual(['NO_HEALTHY_BACKEND m1 m2 m3 w1']);
    expect(report.verdict.problems[0]?.text).toBe('No master ever heard from the balancer on port 6443');
  });
});
