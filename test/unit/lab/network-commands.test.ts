import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { netnsNames, networkCommands } from '../../../src/lab/commands/network.ts';
import type { LabInput } from '../../../src/lab/spec/input.ts';
import { drawTopology } from '../../../src/lab/topology/draw.ts';
import { cidrContains } from '../../../src/std/address.ts';
import { quoteArgv } from '../../../src/std/quote.ts';
import { repoRoot } from '../../support/imports.ts';
import { labSpec } from '../../support/lab-spec.ts';

const labs: readonly { name: string; input: LabInput }[] = [
  { name: 'routed-4', input: { balancer: 'drop', masters: 2 } },
  { name: 'routed-dual', input: { balancer: 'drop', masters: 1, ip: 'dual' } },
  { name: 'routed-local-6', input: { balancer: 'gcp-internal', masters: 1, ip: '6' } },
  { name: 'segment-one-arm-4', input: { balancer: 'one-arm', masters: 2 } },
  { name: 'segment-local-dual', input: { balancer: 'lvs-dr', masters: 1, ip: 'dual' } },
  { name: 'node-tier-4', input: { balancer: 'drop', masters: 1, tier: 'node' } },
];

test.each(labs)('networkCommands() of $name', async ({ name, input }) => {
  const text = networkCommands(drawTopology(labSpec(input)))
    .flatMap(({ title, commands }) => [
      `# ${title}`,
      ...commands.flatMap(({ argv, stdin }) => [
        `${quoteArgv(argv)}${stdin === undefined ? '' : ` <<END\n${stdin}END`}`,
      ]),
      '',
    ])
    .join('\n');
  await expect(text).toMatchFileSnapshot(join(repoRoot, 'test/golden/lab', `${name}.txt`));
});

describe('for every lab', () => {
  const anyInput = fc.record({
    name: fc.stringMatching(/^[a-z][a-z0-9]{0,8}$/),
    tier: fc.constantFrom('wire' as const, 'node' as const),
    masters: fc.integer({ min: 1, max: 9 }),
    workers: fc.integer({ min: 0, max: 9 }),
    clients: fc.integer({ min: 0, max: 5 }),
    ip: fc.constantFrom('4' as const, '6' as const, 'dual' as const),
    balancer: fc.constantFrom('drop', 'works', 'local', 'one-arm', 'proxy', 'lvs-dr', 'aws-nlb-preserve'),
  });

  test('each command works in a namespace of the lab; the only one that does not makes them', () =>
    fc.assert(
      fc.property(anyInput, (input) => {
        const topology = drawTopology(labSpec(input));
        const spaces = netnsNames(topology);
        const [first, ...rest] = networkCommands(topology).flatMap((batch) => batch.commands);
        expect(first).toEqual({
          argv: ['ip', '-batch', '-'],
          stdin: spaces.map((name) => `netns add ${name}\n`).join(''),
        });
        const elsewhere = rest.filter(({ argv: [program, where, which] }) => {
          const netns = program === 'ip' && where === '-n' ? which : where?.replace('--net=/run/netns/', '');
          return (program !== 'ip' && program !== 'nsenter') || !spaces.includes(netns ?? '');
        });
        expect(elsewhere).toEqual([]);
        // Devices that are made in a namespace of the lab must not end up outside: `netns` takes a name, never a pid.
        const targets = rest.flatMap(({ stdin }) => [...(stdin ?? '').matchAll(/ netns (\S+)/g)].map((m) => m[1]));
        expect(targets.filter((name) => !spaces.includes(name ?? ''))).toEqual([]);
      }),
      { numRuns: 60 },
    ));

  test('no two machines or pods share an address, and each machine is inside its subnet', () =>
    fc.assert(
      fc.property(anyInput, (input) => {
        const topology = drawTopology(labSpec(input));
        const all = [
          ...topology.machines.flatMap(({ machine }) => machine.addresses),
          ...topology.pods.flatMap((pod) => [...pod.addresses, ...pod.gateways]),
          ...topology.balancer.addresses,
          ...topology.balancer.vips,
          ...topology.dns.addresses,
          ...topology.fabric.gateways.map(({ address }) => address),
        ].map((a) => a.text);
        expect(all.length).toBe(new Set(all).size);
        const outside = topology.machines.flatMap(({ links }) =>
          links.filter(
            ({ subnet, address, gateway }) => !cidrContains(subnet, address) || !cidrContains(subnet, gateway),
          ),
        );
        expect(outside).toEqual([]);
      }),
      { numRuns: 60 },
    ));

  test('a name of a device fits into the kernel’s 15 letters', () =>
    fc.assert(
      fc.property(anyInput, (input) => {
        const devices = networkCommands(drawTopology(labSpec(input)))
          .flatMap((batch) => batch.commands)
          .flatMap(({ stdin }) => [...(stdin ?? '').matchAll(/(?:link add name|peer name) (\S+)/g)].map((m) => m[1]));
        expect(devices.filter((name) => (name ?? '').length > 15)).toEqual([]);
      }),
      { numRuns: 20 },
    ));
});
