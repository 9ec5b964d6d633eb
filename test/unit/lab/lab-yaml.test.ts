import { describe, expect, test } from 'vitest';
import { formatDiagnostic } from '../../../src/errors/diagnostic.ts';
import { parseLabYaml } from '../../../src/lab/spec/lab-yaml.ts';

const head = 'apiVersion: hairpin/v1alpha1\nkind: Lab\n';

/** What a person would see, one line a problem. */
function problems(text: string): readonly string[] {
  const result = parseLabYaml(head + text, 'lab.yaml');
  return result.ok ? [] : result.diagnostics.map(formatDiagnostic);
}

describe('parseLabYaml() points at the place', () => {
  test.each([
    {
      name: 'overlapping subnets',
      text: 'spec:\n  network:\n    nodes: [10.244.8.0/24]\n',
      says: [
        'lab.yaml:5:13  spec.network.nodes[0]: 10.244.8.0/24 overlaps the pod subnet 10.244.0.0/16; expected subnets that share no address   LAB_SUBNETS_OVERLAP\n    choose another one, or set spec.network.pods too',
      ],
    },
    {
      name: 'an address outside its subnet',
      text: 'spec:\n  masters:\n    - addresses: [172.16.104.54]\n    - addresses: [172.16.103.55]\n',
      says: [
        'lab.yaml:6:19  spec.masters[1].addresses[0]: 172.16.103.55 is outside 172.16.104.0/24; expected an address of that subnet   LAB_ADDRESS_BAD',
      ],
    },
    {
      name: 'an address that is taken, and ones that nobody can have',
      text: [
        'spec:',
        '  masters:',
        '    - addresses: [172.16.104.54]',
        '    - addresses: [172.16.104.54]',
        '    - addresses: [172.16.104.1]',
        '    - addresses: [172.16.104.255]',
        '    - addresses: [nowhere]',
        '',
      ].join('\n'),
      says: [
        'lab.yaml:6:19  spec.masters[1].addresses[0]: 172.16.104.54 is used by m1 too; expected a free address   LAB_ADDRESS_BAD',
        "lab.yaml:7:19  spec.masters[2].addresses[0]: 172.16.104.1 is the router's address in 172.16.104.0/24; expected a free address   LAB_ADDRESS_BAD",
        "lab.yaml:8:19  spec.masters[3].addresses[0]: 172.16.104.255 is the network's broadcast address in 172.16.104.0/24; expected a free address   LAB_ADDRESS_BAD",
        'lab.yaml:9:19  spec.masters[4].addresses[0]: `nowhere` is not an IP address; expected an address such as 172.16.104.54   LAB_ADDRESS_BAD',
      ],
    },
    {
      name: 'more nodes than addresses',
      text: 'spec:\n  network: { nodes: [192.168.7.0/29] }\n  masters: 3\n  workers: 1\n',
      says: [
        'lab.yaml:6:12  spec.workers: 1 workers do not fit into 192.168.7.0/29: there is no address left for w1; expected at most 0 workers there   LAB_SUBNET_FULL\n    write a larger spec.network.nodes in lab.yaml',
      ],
    },
    {
      name: 'an unknown preset',
      text: 'spec:\n  balancer: { like: azure-lib }\n',
      says: [
        'lab.yaml:4:21  spec.balancer.like: there is no balancer `azure-lib`; expected a preset (alibaba-clb, azure-ilb, aws-nlb, aws-nlb-preserve, tencent-clb, huawei-elb, gcp-internal, lvs-dr, lvs-nat, haproxy) or a behaviour (works, drop, local, one-arm, proxy)   LAB_BALANCER_UNKNOWN\n    did you mean `azure-ilb`?',
      ],
    },
    {
      name: 'a front end outside of the segment that the balancer is on',
      text: 'spec:\n  balancer: one-arm\n  endpoint: { addresses: [192.168.1.1] }\n',
      says: [
        'lab.yaml:5:27  spec.endpoint.addresses[0]: 192.168.1.1 is outside the segment 172.16.104.0/23; expected an address of that subnet, because the balancer is a machine on the segment   LAB_ENDPOINT_BAD',
      ],
    },
    {
      name: 'a network with host bits',
      text: 'spec:\n  network: { clients: [192.168.1.9/24] }\n',
      says: [
        'lab.yaml:4:24  spec.network.clients[0]: `192.168.1.9/24` is not a network; expected 192.168.1.0/24   LAB_SUBNET_BAD',
      ],
    },
    {
      name: 'subnets of one family in a dual-stack lab',
      text: 'spec:\n  ip: dual\n  network: { nodes: [192.168.1.0/24] }\n',
      says: [
        'lab.yaml:5:21  spec.network.nodes: the node subnet is written for other address families than the lab has; expected one IPv4 network and one IPv6 network, because `ip` is dual   LAB_SUBNET_COUNT',
      ],
    },
  ])('$name', ({ text, says }) => {
    expect(problems(text)).toEqual(says);
  });

  test('a wrong key, a wrong type and a bad duration, each where it stands', () => {
    const seen = problems('spec:\n  tire: wire\n  masters: many\n  balancer: { healthCheck: { interval: soon } }\n');
    expect(seen.map((line) => line.split('  ')[0])).toEqual(['lab.yaml:4:3', 'lab.yaml:5:12', 'lab.yaml:6:40']);
  });
});

test('parseLabYaml() changes only what is written of the balancer that it starts from', () => {
  const text = `${head}metadata: { name: night }\nspec:\n  balancer:\n    like: aws-nlb\n    healthCheck: { interval: 500ms }\n    ejectedFlows: drain\n    drain: 30s\n`;
  const result = parseLabYaml(text, 'lab.yaml');
  const plain = parseLabYaml(`${head}spec: { balancer: aws-nlb }\n`, 'lab.yaml');
  if (!result.ok || !plain.ok) throw new Error('both are fine');
  expect(result.spec).toEqual({
    ...plain.spec,
    name: 'night',
    balancer: {
      ...plain.spec.balancer,
      ejectedFlows: 'drain',
      drainMs: 30_000,
      healthCheck: { ...plain.spec.balancer.healthCheck, intervalMs: 500 },
    },
  });
});
