import { describe, expect, test } from 'vitest';
import { pullCable } from '../../../src/lab/faults/link-down.ts';
import { commonFaults } from '../../../src/lab/faults/list.ts';
import { namesOf } from '../../../src/lab/faults/processes.ts';
import { silentTable } from '../../../src/lab/faults/silent.ts';
import { nodeTier } from '../../../src/lab/nspawn/node-tier.ts';
import type { LabInput } from '../../../src/lab/spec/input.ts';
import { wireTier } from '../../../src/lab/tier/wire.ts';
import { drawTopology } from '../../../src/lab/topology/draw.ts';
import { labSpec } from '../../support/lab-spec.ts';

describe('namesOf()', () => {
  test.each([
    { name: 'a program by its name', comm: 'etcd', cmdline: ['/usr/local/bin/etcd', '--name', 'm1'], names: ['etcd'] },
    {
      name: 'a long name, which the kernel cuts, by the whole of it and by what the kernel shows',
      comm: 'kube-controller',
      cmdline: ['kube-controller-manager', '--kubeconfig', 'x'],
      names: ['kube-controller-manager', 'kube-controller'],
    },
    {
      name: 'the stand-in of a wire-tier master as its apiserver',
      comm: 'node',
      cmdline: ['/opt/node', '/src/lab/standin/standin.main.ts', 'standin.json'],
      names: ['kube-apiserver', 'node'],
    },
    { name: 'a process without a command line', comm: 'socat', cmdline: [''], names: ['socat'] },
  ])('calls $name', ({ comm, cmdline, names }) => {
    expect(namesOf(comm, cmdline)).toEqual(names);
  });
});

test('silentTable() drops both directions of one device and nothing else', () => {
  expect(silentTable('silent_m2', 'm2')).toBe(
    [
      'table netdev silent_m2 {',
      '  chain from_it {',
      '    type filter hook ingress device "m2" priority -500;',
      '    drop',
      '  }',
      '  chain to_it {',
      '    type filter hook egress device "m2" priority -500;',
      '    drop',
      '  }',
      '}',
      '',
    ].join('\n'),
  );
});

describe('pullCable()', () => {
  const commandsFor = (input: LabInput, name: string) => {
    const topology = drawTopology(labSpec(input));
    const machine = topology.machines.find((candidate) => candidate.machine.name === name);
    if (machine === undefined) throw new Error(`no ${name}`);
    return pullCable(topology, machine);
  };

  test('on a routed network the machine’s addresses lead to nowhere, in silence', () => {
    expect(commandsFor({ ip: 'dual' }, 'm1')).toEqual([
      {
        argv: ['ip', '-n', 'hp-lab-fabric', '-batch', '-'],
        stdin: [
          'link set dev m1 down',
          'link add name void-m1 type bridge',
          'link set dev void-m1 up',
          'route replace 172.16.104.54/32 dev void-m1',
          'neigh replace 172.16.104.54 lladdr 02:00:00:00:00:01 dev void-m1 nud permanent',
          'route replace fd00:172:16:104::54/128 dev void-m1',
          'neigh replace fd00:172:16:104::54 lladdr 02:00:00:00:00:01 dev void-m1 nud permanent',
          '',
        ].join('\n'),
      },
    ]);
  });

  test('on a segment neighbours get no answer to ARP, which is all there is to it', () => {
    expect(commandsFor({ balancer: 'one-arm' }, 'm1')).toEqual([
      { argv: ['ip', '-n', 'hp-lab-fabric', '-batch', '-'], stdin: 'link set dev m1 down\n' },
    ]);
  });
});

test.each([
  { tier: 'wire', faults: wireTier.faults },
  { tier: 'node', faults: nodeTier.faults },
])('no two faults of the $tier tier have one name', ({ faults }) => {
  const names = [...commonFaults, ...faults].map((fault) => fault.name);
  expect(names.length).toBe(new Set(names).size);
});
