import { describe, expect, test } from 'vitest';
import { classify } from '../../../src/balancer/probe/classify.ts';
import type {
  BackendObservation,
  ClientObservation,
  Outcome,
  ProbeObservation,
  Try,
} from '../../../src/balancer/probe/observation.ts';
import { address } from '../../../src/std/address.ts';

const vip = address('172.16.105.26');

/** Histories are written by hand: `times(3, banner('m1'))` is three connections that m1 answered. */
const times = (count: number, one: Try): Try[] => Array.from({ length: count }, () => one);
const tried = (outcome: Outcome, more: Partial<Try> = {}): Try => ({
  outcome,
  ms: 1,
  left: true,
  returned: false,
  stray: false,
  ...more,
});
const banner = (by: string, peer = '172.16.104.2') => tried({ is: 'banner', by, peer });
const tls = (certificate: string | undefined) => tried({ is: 'tls', certificate });
const lost = tried({ is: 'timeout' });
const returned = tried({ is: 'timeout' }, { returned: true });
const stray = tried({ is: 'timeout' }, { stray: true });
const refused = tried({ is: 'refused' });

const client = (node: string, tries: readonly Try[], more: Partial<ClientObservation> = {}): ClientObservation => ({
  node,
  role: node.startsWith('m') ? 'control-plane' : 'worker',
  failed: undefined,
  lookup: undefined,
  lookupFromHosts: false,
  route: 'unicast',
  counting: true,
  tries,
  ...more,
});

const backend = (node: string, more: Partial<BackendObservation> = {}): BackendObservation => ({
  node,
  listening: true,
  certificate: `cert-${node}`,
  checksSeen: 3,
  arrivedAt: [6443],
  outsideAt: [6443],
  ...more,
});

const seen = (clients: readonly ClientObservation[], more: Partial<ProbeObservation> = {}): ProbeObservation => ({
  endpoint: { host: vip.text, port: 6443, domain: undefined },
  dialled: [vip],
  backendPort: 6443,
  served: 'real',
  clients,
  backends: clients.filter((c) => c.role === 'control-plane').map((c) => backend(c.node)),
  ...more,
});

const short = (observation: ProbeObservation) => {
  const { nodes, behaviour, problems } = classify(observation);
  return {
    nodes: nodes.map((node) => `${node.node} ${node.class}`).join(', '),
    behaviour,
    problems: problems.map((problem) => `${problem.code} ${problem.nodes.join(' ')}`.trim()),
  };
};

const others = (self: string) =>
  ['m1', 'm2', 'm3'].filter((name) => name !== self).flatMap((name) => times(10, tls(`cert-${name}`)));

describe('classify()', () => {
  test.each<{
    name: string;
    observation: ProbeObservation;
    nodes: string;
    behaviour: string | undefined;
    problems?: string[];
  }>([
    {
      name: 'a third came back to the master that sent it: drop',
      observation: seen(['m1', 'm2', 'm3'].map((m) => client(m, [...others(m), ...times(10, returned)]))),
      nodes: 'm1 drop, m2 drop, m3 drop',
      behaviour: 'drop',
    },
    {
      name: 'everything came back to a single master: drop',
      observation: seen([client('m1', times(30, returned)), client('w1', times(30, tls('cert-m1')))]),
      nodes: 'm1 drop, w1 works',
      behaviour: 'drop',
    },
    {
      name: 'a third vanished, nothing came back, others get through: dropped in the fabric',
      observation: seen(['m1', 'm2', 'm3'].map((m) => client(m, [...others(m), ...times(10, lost)]))),
      nodes: 'm1 drop-in-fabric, m2 drop-in-fabric, m3 drop-in-fabric',
      behaviour: 'drop',
    },
    {
      name: 'a single master gets nothing and a worker gets all: dropped in the fabric',
      observation: seen([client('m1', times(30, lost)), client('w1', times(30, tls('cert-m1')))]),
      nodes: 'm1 drop-in-fabric, w1 works',
      behaviour: 'drop',
    },
    {
      name: 'answered by itself: works',
      observation: seen(['m1', 'm2', 'm3'].map((m) => client(m, [...others(m), ...times(10, tls(`cert-${m}`))]))),
      nodes: 'm1 works, m2 works, m3 works',
      behaviour: 'works',
    },
    {
      name: 'a single master that gets all answers was answered by itself',
      observation: seen([client('m1', times(30, tls('cert-m1')))]),
      nodes: 'm1 works',
      behaviour: 'works',
    },
    {
      name: 'answered by others only: undetermined',
      observation: seen(['m1', 'm2'].map((m, i) => client(m, times(30, tls(`cert-m${2 - i}`))))),
      nodes: 'm1 undetermined, m2 undetermined',
      behaviour: undefined,
      problems: ['UNDETERMINED m1 m2'],
    },
    {
      name: 'one master is never chosen, the other one is: works',
      observation: seen([client('m1', times(30, tls('cert-m2'))), client('m2', times(30, tls('cert-m2')))]),
      nodes: 'm1 undetermined, m2 works',
      behaviour: 'works',
      problems: ['BACKEND_UNUSED m1'],
    },
    {
      name: 'only one master is in rotation, and it loses everything',
      observation: seen([
        client('m1', times(30, tls('cert-m3'))),
        client('m2', times(30, tls('cert-m3'))),
        client('m3', times(30, returned)),
      ]),
      nodes: 'm1 undetermined, m2 undetermined, m3 drop',
      behaviour: 'drop',
      problems: ['BACKEND_UNUSED m1 m2'],
    },
    {
      name: 'masters that share a certificate cannot be told apart: undetermined',
      observation: seen(
        ['m1', 'm2'].map((m) => client(m, times(30, tls('same')))),
        { backends: ['m1', 'm2'].map((m) => backend(m, { certificate: 'same' })) },
      ),
      nodes: 'm1 undetermined, m2 undetermined',
      behaviour: undefined,
      problems: ['UNDETERMINED m1 m2'],
    },
    {
      name: 'answered from a node’s own address: one-arm, whatever came back besides',
      observation: seen([client('m1', [...times(10, returned), ...times(20, stray)]), client('w1', times(30, stray))]),
      nodes: 'm1 one-arm, w1 one-arm',
      behaviour: 'one-arm',
    },
    {
      name: 'a single one-arm master looks like drop, and its worker shows what it is',
      observation: seen([client('m1', times(30, returned)), client('w1', times(30, stray))]),
      nodes: 'm1 drop, w1 one-arm',
      behaviour: 'one-arm',
    },
    {
      name: 'the endpoint is an address of the node: local, answered or refused',
      observation: seen([
        client('m1', times(30, { ...tls('cert-m1'), left: false }), { route: 'local' }),
        client('m2', times(30, { ...refused, left: false }), { route: 'local' }),
      ]),
      nodes: 'm1 local, m2 local',
      behaviour: 'local',
    },
    {
      name: 'connections that never left: redirected, and the other masters decide',
      observation: seen([
        client('m1', times(30, { ...tls('cert-m1'), left: false })),
        client('m2', [...times(20, tls('cert-m1')), ...times(10, returned)]),
      ]),
      nodes: 'm1 redirected, m2 drop',
      behaviour: 'drop',
      problems: ['REDIRECTED m1'],
    },
    {
      name: 'all masters redirect: nothing is known about the balancer',
      observation: seen([client('m1', times(30, { ...tls('cert-m1'), left: false }))]),
      nodes: 'm1 redirected',
      behaviour: undefined,
      problems: ['REDIRECTED m1'],
    },
    {
      name: 'without nft timeouts are still seen, and it is said that nothing was counted',
      observation: seen(
        ['m1', 'm2', 'm3'].map((m) =>
          client(
            m,
            [...others(m), ...times(10, lost)].map((one) => ({ ...one, left: false })),
            { counting: false },
          ),
        ),
      ),
      nodes: 'm1 drop-in-fabric, m2 drop-in-fabric, m3 drop-in-fabric',
      behaviour: 'drop',
      problems: ['NOT_COUNTED m1 m2 m3'],
    },
    {
      name: 'a certificate that no master serves: TLS ends in the balancer',
      observation: seen([client('m1', times(30, tls('foreign'))), client('w1', times(30, tls('foreign')))]),
      nodes: 'm1 foreign, w1 foreign',
      behaviour: undefined,
      problems: ['TLS_TERMINATED m1 w1'],
    },
    {
      name: 'TLS where only plain listeners serve: TLS ends in the balancer, with or without a certificate in sight',
      observation: seen([client('m1', times(30, tls(undefined)))], { served: 'listener' }),
      nodes: 'm1 foreign',
      behaviour: undefined,
      problems: ['TLS_TERMINATED m1'],
    },
    {
      name: 'an apiserver that keeps its certificate to itself is still an apiserver',
      observation: seen([client('m1', times(30, tls(undefined)))]),
      nodes: 'm1 works',
      behaviour: 'works',
    },
    {
      name: 'an answer that is no TLS at all',
      observation: seen([client('m1', times(30, tried({ is: 'data', text: 'HTTP/1.1 400' })))]),
      nodes: 'm1 foreign',
      behaviour: undefined,
      problems: ['NOT_TLS m1'],
    },
    {
      name: 'arrived at another port: the balancer forwards there, whatever answered',
      observation: seen([client('m1', times(30, tls('foreign'))), client('w1', times(30, refused))], {
        backends: [backend('m1', { arrivedAt: [8443], outsideAt: [8443, 22] })],
      }),
      nodes: 'm1 foreign, w1 unreachable',
      behaviour: undefined,
      problems: ['WRONG_BACKEND_PORT m1 w1'],
    },
    {
      name: 'a balancer that hides the source knocks at another port',
      observation: seen([client('m1', times(30, refused))], {
        backends: [backend('m1', { arrivedAt: [], outsideAt: [22, 8443] })],
      }),
      nodes: 'm1 unreachable',
      behaviour: undefined,
      problems: ['WRONG_BACKEND_PORT m1'],
    },
    {
      name: 'ssh from outside is no health check',
      observation: seen([client('m1', times(30, lost))], {
        backends: [backend('m1', { arrivedAt: [], outsideAt: [22], checksSeen: 0 })],
      }),
      nodes: 'm1 unreachable',
      behaviour: undefined,
      problems: ['NO_HEALTHY_BACKEND m1'],
    },
    {
      name: 'nothing comes through and no check was seen: no healthy backend',
      observation: seen([client('m1', times(30, lost)), client('w1', times(30, lost))], {
        backends: [backend('m1', { arrivedAt: [], outsideAt: [], checksSeen: 0 })],
      }),
      nodes: 'm1 unreachable, w1 unreachable',
      behaviour: undefined,
      problems: ['NO_HEALTHY_BACKEND m1 w1'],
    },
    {
      name: 'refused although checks arrive: no healthy backend',
      observation: seen([client('m1', times(30, refused)), client('w1', times(30, refused))], {
        backends: [backend('m1', { arrivedAt: [] })],
      }),
      nodes: 'm1 unreachable, w1 unreachable',
      behaviour: undefined,
      problems: ['NO_HEALTHY_BACKEND m1 w1'],
    },
    {
      name: 'checks arrive and no node gets an answer: the nodes are kept out',
      observation: seen([client('m1', times(30, lost)), client('w1', times(30, lost))], {
        backends: [backend('m1', { arrivedAt: [] })],
      }),
      nodes: 'm1 unreachable, w1 unreachable',
      behaviour: undefined,
      problems: ['NODES_BLOCKED m1 w1'],
    },
    {
      name: 'only the workers are kept out',
      observation: seen([client('m1', times(30, tls('cert-m1'))), client('w1', times(30, lost))]),
      nodes: 'm1 works, w1 unreachable',
      behaviour: 'works',
      problems: ['NODES_BLOCKED w1'],
    },
    {
      name: 'no route to the endpoint',
      observation: seen([
        client('m1', times(30, tried({ is: 'unreachable', errno: 101 })), { route: 'none' }),
        client('m2', [...times(15, tls('cert-m1')), ...times(15, returned)]),
      ]),
      nodes: 'm1 unreachable, m2 drop',
      behaviour: 'drop',
      problems: ['NO_ROUTE m1'],
    },
    {
      name: 'masters that see different things: the worse one counts, and it is said',
      observation: seen([
        client('m1', [...times(15, tls('cert-m1')), ...times(15, tls('cert-m2'))]),
        client('m2', [...times(15, tls('cert-m1')), ...times(15, returned)]),
      ]),
      nodes: 'm1 works, m2 drop',
      behaviour: 'drop',
      problems: ['MIXED m1 m2'],
    },
    {
      name: 'a node that is down does not keep the others from being judged',
      observation: seen(
        [
          client('m1', [], { failed: 'Cannot reach node m1 by ssh' }),
          client('m2', [...times(15, tls('cert-m1')), ...times(15, returned)]),
        ],
        { backends: [backend('m2')] },
      ),
      nodes: 'm1 not-asked, m2 drop',
      behaviour: 'drop',
      problems: ['NODE_NOT_ASKED m1'],
    },
  ])('$name', ({ observation, nodes, behaviour, problems }) => {
    expect(short(observation)).toEqual({ nodes, behaviour, problems: problems ?? [] });
  });

  const domain = { host: 'api.example', port: 6443, domain: 'api.example' };
  test.each<{ name: string; clients: readonly ClientObservation[]; problems: string[] }>([
    {
      name: 'a name that does not resolve on one node',
      clients: [
        client('m1', times(30, tls('cert-m1')), { lookup: [vip] }),
        client('m2', times(30, tls('cert-m2')), { lookup: [] }),
      ],
      problems: ['NAME_DOES_NOT_RESOLVE m2'],
    },
    {
      name: 'a name that is the node itself in /etc/hosts',
      clients: [
        client('m1', times(30, tls('cert-m1')), { lookup: [address('127.0.0.1')], lookupFromHosts: true }),
        client('m2', times(30, tls('cert-m2')), { lookup: [vip] }),
      ],
      problems: ['NAME_IS_THE_NODE m1'],
    },
    {
      name: 'a name that resolves to another balancer on one node',
      clients: [
        client('m1', times(30, tls('cert-m1')), { lookup: [vip] }),
        client('m2', times(30, tls('cert-m2')), { lookup: [vip, address('172.16.105.27')] }),
      ],
      problems: ['NAME_DIFFERS m1 m2'],
    },
  ])('$name', ({ clients, problems }) => {
    const observation = seen(clients, { endpoint: domain, dialled: [vip] });
    expect(short(observation).problems).toEqual(problems);
  });

  test('the text of drop counts what came back', () => {
    const { nodes } = classify(
      seen([
        client('m1', [...times(20, tls('cert-m2')), ...times(10, returned)]),
        client('m2', times(30, tls('cert-m2'))),
      ]),
    );
    expect(nodes[0]).toEqual({
      node: 'm1',
      class: 'drop',
      tries: 30,
      answered: 20,
      bySelf: 0,
      returned: 10,
      timeouts: 10,
      refused: 0,
      stray: 0,
      text: '10 came back to m1 with source = destination and were dropped by its kernel (counted)',
    });
  });

  test('the text of works names the address that the master saw', () => {
    const { nodes } = classify(seen([client('m1', times(30, banner('m1', '172.16.104.2')))], { served: 'listener' }));
    expect(nodes[0]?.text).toBe('30 answered by m1 itself, which saw 172.16.104.2');
  });
});
