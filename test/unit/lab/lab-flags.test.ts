import { describe, expect, test } from 'vitest';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { type LabFlags, parseLabFlags } from '../../../src/lab/spec/lab-flags.ts';

const words =
  ' expected a preset (alibaba-clb, azure-ilb, aws-nlb, aws-nlb-preserve, tencent-clb, huawei-elb, gcp-internal, lvs-dr, lvs-nat, haproxy) or a behaviour (works, drop, local, one-arm, proxy)';

describe('parseLabFlags() says which flag is wrong', () => {
  const cases: readonly { name: string; flags: LabFlags; says: readonly string[] }[] = [
    {
      name: 'an unknown preset',
      flags: { balancer: 'alibaba-slb' },
      says: [`--balancer: there is no balancer \`alibaba-slb\`;${words}; did you mean \`alibaba-clb\`?`],
    },
    {
      name: 'more masters than the subnet has addresses',
      flags: { masters: '300' },
      says: [
        '--masters: 300 masters do not fit into 172.16.104.0/24: there is no address left for m202; expected at most 201 masters there; write a larger spec.network.nodes in lab.yaml',
      ],
    },
    {
      name: 'no master',
      flags: { masters: '0' },
      says: ['--masters: a lab cannot have 0 masters; expected 1 or more'],
    },
    {
      name: 'words for a number',
      flags: { workers: 'two' },
      says: ['--workers: `two` is not a number; expected how many workers, such as 3'],
    },
    {
      name: 'an unknown tier, endpoint and family at once',
      flags: { tier: 'vm', endpoint: 'name', ip: '5' },
      says: [
        '--endpoint: `name` is none of its values; expected vip, domain',
        '--tier: `vm` is none of its values; expected wire, node',
        '--ip: `5` is none of its values; expected 4, 6, dual',
      ],
    },
    {
      name: 'a bad name',
      flags: { lab: 'My Lab' },
      says: [
        '--lab: `My Lab` cannot be the name of a lab; expected at most 20 lower-case letters, digits and dashes, a letter first, no dash last',
      ],
    },
    {
      name: 'something that is no version',
      flags: { kubernetes: 'newest' },
      says: ['--kubernetes: `newest` is not a version; expected a version such as v1.37.2'],
    },
    {
      name: 'a behaviour that the network cannot show',
      flags: { balancer: 'one-arm', network: 'routed' },
      says: [
        '--network: behaviour `one-arm` cannot be rehearsed on a routed network: a routed fabric un-NATs every reply, so nothing would fail; expected segment',
      ],
    },
  ];

  test.each(cases)('$name', ({ flags, says }) => {
    let thrown: unknown;
    try {
      parseLabFlags(flags);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(OperatorError);
    const { code, message, exitCode } = thrown as OperatorError;
    expect({ code, exitCode, message: message.split('\n  ') }).toEqual({
      code: 'USAGE',
      exitCode: 64,
      message: [`Cannot make a lab like this: ${says[0]}`, ...says.slice(1)],
    });
  });
});

test('parseLabFlags() without flags gives the lab of the article', () => {
  const spec = parseLabFlags({});
  expect({
    name: spec.name,
    tier: spec.tier,
    network: spec.network,
    preset: spec.preset,
    behaviour: spec.balancer.behaviour,
    endpoint: spec.endpoint,
    machines: spec.machines.map(({ name, addresses }) => [name, ...addresses.map((a) => a.text)].join(' ')),
  }).toEqual({
    name: 'lab',
    tier: 'wire',
    network: 'routed',
    preset: 'alibaba-clb',
    behaviour: 'drop',
    endpoint: { domain: undefined, addresses: [{ family: 4, text: '172.16.105.26' }], port: 6443 },
    machines: ['m1 172.16.104.54', 'm2 172.16.104.55', 'm3 172.16.104.56', 'w1 172.16.104.57', 'c1 172.16.200.10'],
  });
});

test('parseLabFlags() gives a domain two addresses per family', () => {
  const { endpoint } = parseLabFlags({ endpoint: 'domain', ip: 'dual' });
  expect([endpoint.domain, ...endpoint.addresses.map((a) => a.text)]).toEqual([
    'api.lab.internal',
    '172.16.105.26',
    '172.16.105.27',
    'fd00:172:16:105::26',
    'fd00:172:16:105::27',
  ]);
});
