import type { HairpinBehaviour } from '../behaviour.ts';
import type { ClientObservation, ProbeObservation, Try } from './observation.ts';

/** What the endpoint is for one node. `works` on a worker says only that it gets through. */
export type NodeClass =
  | HairpinBehaviour
  /** Its own packets vanish on the way: nothing came back to be counted. The remedy is that of `drop`. */
  | 'drop-in-fabric'
  /** Everything was answered, but never by the node itself. */
  | 'undetermined'
  /** The connections never left the node: something there redirects them. */
  | 'redirected'
  | 'unreachable'
  /** Connections come through to something that is not a backend of this cluster. */
  | 'foreign'
  | 'not-asked';

export interface NodeVerdict {
  readonly node: string;
  readonly class: NodeClass;
  readonly tries: number;
  readonly answered: number;
  readonly bySelf: number;
  readonly returned: number;
  readonly timeouts: number;
  readonly refused: number;
  readonly stray: number;
  /** What happened, in words, without the numbers of the other columns. */
  readonly text: string;
}

export type ProblemCode =
  | 'NAME_DOES_NOT_RESOLVE'
  | 'NAME_DIFFERS'
  | 'NAME_IS_THE_NODE'
  | 'NO_ROUTE'
  | 'TLS_TERMINATED'
  | 'NOT_TLS'
  | 'WRONG_BACKEND_PORT'
  | 'NO_HEALTHY_BACKEND'
  | 'NODES_BLOCKED'
  | 'NO_ANSWER'
  | 'NODE_NOT_ASKED'
  | 'REDIRECTED'
  | 'NOT_COUNTED'
  | 'UNDETERMINED'
  | 'BACKEND_UNUSED'
  | 'MIXED';

export interface Problem {
  readonly code: ProblemCode;
  readonly nodes: readonly string[];
  readonly text: string;
  readonly hint: string | undefined;
}

export interface ProbeVerdict {
  /** `undefined`: it could not be determined; `problems` say why. */
  readonly behaviour: HairpinBehaviour | undefined;
  readonly nodes: readonly NodeVerdict[];
  readonly problems: readonly Problem[];
}

/** Judges. Pure: the same observation always gives the same verdict. */
export function classify(seen: ProbeObservation): ProbeVerdict {
  const served = new Map(
    seen.backends.flatMap((b): [string, string][] => (b.certificate === undefined ? [] : [[b.certificate, b.node]])),
  );
  // A certificate that several masters share does not tell which one answered.
  const shared = new Set(
    seen.backends.map((b) => b.certificate).filter((c, i, all) => c !== undefined && all.indexOf(c) !== i),
  );
  const allKnown =
    seen.served === 'listener' ||
    (seen.clients.every((client) => client.role === 'worker' || client.failed === undefined) &&
      seen.backends.every((backend) => !backend.listening || backend.certificate !== undefined));
  const by = (one: Try): Answer => {
    const { outcome } = one;
    if (outcome.is === 'banner') return { is: 'backend', node: outcome.by };
    if (outcome.is === 'data') return { is: 'foreign', what: 'not-tls' };
    if (outcome.is !== 'tls') return { is: 'none' };
    if (outcome.certificate === undefined)
      return seen.served === 'listener' ? { is: 'foreign', what: 'tls' } : { is: 'backend', node: undefined };
    if (shared.has(outcome.certificate)) return { is: 'backend', node: undefined };
    const node = served.get(outcome.certificate);
    // It may be the certificate of a master that could not be asked for its own.
    if (node === undefined && !allKnown) return { is: 'backend', node: undefined };
    return node === undefined ? { is: 'foreign', what: 'tls' } : { is: 'backend', node };
  };
  const othersGetThrough = seen.clients.some((client) => client.tries.some((one) => by(one).is === 'backend'));
  const masters = seen.clients.filter((client) => client.role === 'control-plane').length;
  const nodes = seen.clients.map((client) => judgeNode(client, { by, othersGetThrough, masters }));
  return { behaviour: behaviourOf(nodes, seen), nodes, problems: problemsOf(nodes, seen, by) };
}

type Answer =
  | { readonly is: 'backend'; readonly node: string | undefined }
  | { readonly is: 'foreign'; readonly what: 'tls' | 'not-tls' }
  | { readonly is: 'none' };

interface Around {
  readonly by: (one: Try) => Answer;
  readonly othersGetThrough: boolean;
  readonly masters: number;
}

function judgeNode(client: ClientObservation, around: Around): NodeVerdict {
  const answers = client.tries.map(around.by);
  const count = (is: string) => client.tries.filter((one) => one.outcome.is === is).length;
  const numbers = {
    node: client.node,
    tries: client.tries.length,
    answered: answers.filter((answer) => answer.is === 'backend').length,
    bySelf: answers.filter((answer) => answer.is === 'backend' && answer.node === client.node).length,
    returned: client.tries.filter((one) => one.returned && one.outcome.is === 'timeout').length,
    timeouts: count('timeout'),
    refused: count('refused'),
    // A connection that something on the node redirected gets its answer from a node, and rightly.
    stray: client.tries.filter((one) => one.stray && one.left).length,
  };
  const foreign = answers.filter((answer) => answer.is === 'foreign').length;
  const of = (kind: NodeClass, text: string): NodeVerdict => ({ ...numbers, class: kind, text });

  if (client.failed !== undefined) return of('not-asked', client.failed);
  if (client.lookup?.length === 0 && client.tries.length === 0)
    return of('unreachable', 'the name does not resolve there');
  if (client.route === 'none') return of('unreachable', 'there is no route to the endpoint, connect() fails at once');
  if (client.tries.length === 0) return of('not-asked', 'nothing was tried');
  if (client.route === 'local') {
    return of(
      'local',
      numbers.refused > 0
        ? 'the endpoint is an address of the node itself, and nothing listens there: refused at once'
        : 'the endpoint is an address of the node itself: packets never leave it',
    );
  }
  if (client.counting && numbers.answered + foreign > 0 && client.tries.every((one) => !one.left)) {
    return of('redirected', 'the connections never left the node: something there sends them elsewhere');
  }
  if (numbers.stray > 0) {
    return of(
      'one-arm',
      `${numbers.stray} were answered by a node’s own address instead of the endpoint’s, and thrown away`,
    );
  }
  if (numbers.returned > 0) {
    return of(
      'drop',
      `${numbers.returned} came back to ${client.node} with source = destination and were dropped by its kernel (counted)`,
    );
  }
  if (foreign > 0) return of('foreign', `${foreign} were answered by something that is not one of the masters`);
  if (numbers.bySelf > 0 && client.role === 'control-plane') return of('works', answeredBySelf(client, numbers.bySelf));
  if (numbers.answered === numbers.tries) {
    if (client.role === 'worker') return of('works', 'all answered');
    if (around.masters === 1) return of('works', 'all answered by itself');
    return of('undetermined', 'all answered, but never by the node itself');
  }
  if (client.role === 'control-plane' && numbers.timeouts > 0 && around.othersGetThrough) {
    return of(
      'drop-in-fabric',
      client.counting
        ? `${numbers.timeouts} got no answer and nothing came back: they are dropped on the way`
        : `${numbers.timeouts} got no answer (nothing could be counted on the node)`,
    );
  }
  if (numbers.answered > 0) return of('unreachable', `${numbers.tries - numbers.answered} failed now and then`);
  return of('unreachable', numbers.refused > numbers.timeouts ? 'refused' : 'no answer');
}

function answeredBySelf(client: ClientObservation, times: number): string {
  const peers = new Set(
    client.tries.flatMap(({ outcome }) =>
      outcome.is === 'banner' && outcome.by === client.node ? [outcome.peer] : [],
    ),
  );
  const from = peers.size === 0 ? '' : `, which saw ${[...peers].join(', ')}`;
  return `${times} answered by ${client.node} itself${from}`;
}

/** The masters decide; a worker does not hairpin, but it sees a one-arm balancer better than a single master does. */
function behaviourOf(nodes: readonly NodeVerdict[], seen: ProbeObservation): HairpinBehaviour | undefined {
  const masters = nodes.filter((_, i) => seen.clients[i]?.role === 'control-plane').map((node) => node.class);
  if (nodes.some((node) => node.class === 'foreign')) return undefined;
  if (nodes.some((node) => node.class === 'one-arm')) return 'one-arm';
  const settled = masters.filter((kind) => kind !== 'not-asked' && kind !== 'redirected');
  if (settled.length === 0) return undefined;
  if (settled.every((kind) => kind === 'local')) return 'local';
  if (settled.some((kind) => kind === 'drop' || kind === 'drop-in-fabric')) return 'drop';
  if (settled.every((kind) => kind === 'works' || kind === 'undetermined') && settled.includes('works')) return 'works';
  return undefined;
}

function problemsOf(
  nodes: readonly NodeVerdict[],
  seen: ProbeObservation,
  by: (one: Try) => Answer,
): readonly Problem[] {
  return [
    ...nameProblems(seen),
    ...nodeProblems(nodes, seen),
    ...(wrongPorts(seen).length > 0
      ? [wrongPort(nodes, seen)]
      : [...foreignProblems(seen, by), ...silenceProblems(nodes, seen), ...unusedBackends(nodes, seen, by)]),
  ];
}

function nameProblems(seen: ProbeObservation): Problem[] {
  const { domain } = seen.endpoint;
  if (domain === undefined) return [];
  const asked = seen.clients.filter((client) => client.failed === undefined && client.lookup !== undefined);
  const without = asked.filter((client) => client.lookup?.length === 0).map((client) => client.node);
  const problems: Problem[] = [];
  if (without.length > 0) {
    problems.push({
      code: 'NAME_DOES_NOT_RESOLVE',
      nodes: without,
      text: `${domain} does not resolve on ${without.join(', ')}`,
      hint: 'make the name known there (DNS), or choose strategy hosts, which writes it to /etc/hosts',
    });
  }
  const balancer = new Set(seen.dialled.map((a) => a.text));
  const own = asked.filter((c) => (c.lookup?.length ?? 0) > 0 && c.lookup?.every((a) => !balancer.has(a.text)));
  if (own.length > 0) {
    problems.push({
      code: 'NAME_IS_THE_NODE',
      nodes: own.map((client) => client.node),
      text: `${domain} leads past the balancer on ${own.map((c) => `${c.node} (${c.lookup?.map((a) => a.text).join(', ')})`).join(', ')}`,
      hint: 'the balancer was dialled by its address there; /etc/hosts or the resolver of the node says otherwise',
    });
  }
  const sets = new Map<string, string[]>();
  for (const client of asked.filter((c) => !own.includes(c) && (c.lookup?.length ?? 0) > 0)) {
    const key = (client.lookup ?? [])
      .map((a) => a.text)
      .toSorted()
      .join(', ');
    sets.set(key, [...(sets.get(key) ?? []), client.node]);
  }
  if (sets.size > 1) {
    problems.push({
      code: 'NAME_DIFFERS',
      nodes: [...sets.values()].flat(),
      text: `${domain} resolves differently: ${[...sets].map(([key, names]) => `${names.join(', ')}: ${key}`).join('; ')}`,
      hint: 'some nodes dial another balancer, or an old address; compare their resolvers',
    });
  }
  return problems;
}

function nodeProblems(nodes: readonly NodeVerdict[], seen: ProbeObservation): Problem[] {
  const named = (kind: NodeClass) => nodes.filter((node) => node.class === kind).map((node) => node.node);
  const problems: Problem[] = [];
  const add = (code: ProblemCode, names: readonly string[], text: string, hint: string | undefined) => {
    if (names.length > 0) problems.push({ code, nodes: names, text, hint });
  };
  for (const client of seen.clients.filter((c) => c.failed !== undefined)) {
    add('NODE_NOT_ASKED', [client.node], `${client.node} could not be asked: ${client.failed}`, undefined);
  }
  const noRoute = seen.clients.filter((c) => c.failed === undefined && c.route === 'none').map((c) => c.node);
  add(
    'NO_ROUTE',
    noRoute,
    `There is no route to the endpoint on ${noRoute.join(', ')}`,
    'a route is needed even where connections are redirected: connect() fails before any rule is asked',
  );
  const redirected = named('redirected');
  add(
    'REDIRECTED',
    redirected,
    `Connections of ${redirected.join(', ')} never reach the balancer: a rule on the node redirects them`,
    'with strategy steer that is as it should be, and the balancer cannot be measured from there; otherwise see nft list ruleset and iptables-save',
  );
  const uncounted = seen.clients
    .filter((c) => c.failed === undefined && !c.counting && c.tries.length > 0)
    .map((c) => c.node);
  add(
    'NOT_COUNTED',
    uncounted,
    `nft does not work on ${uncounted.join(', ')}, so packets that came back were not counted`,
    'install nftables there to tell a balancer that drops from one that sends back',
  );
  const undetermined = named('undetermined');
  const masters = seen.clients.filter((c) => c.role === 'control-plane').map((c) => c.node);
  const kinds = new Set(
    nodes
      .filter((n) => masters.includes(n.node) && ['works', 'drop', 'drop-in-fabric', 'local'].includes(n.class))
      .map((n) => n.class.replace('-in-fabric', '')),
  );
  if (kinds.size > 1)
    add(
      'MIXED',
      masters,
      `The masters do not see the same behaviour: ${nodes
        .filter((n) => masters.includes(n.node))
        .map((n) => `${n.node} ${n.class}`)
        .join(', ')}`,
      'the worse one counts; are all masters backends of the same listener?',
    );
  if (undetermined.length > 0 && kinds.size === 0) {
    add(
      'UNDETERMINED',
      undetermined,
      `No connection of ${undetermined.join(', ')} was sent to the node itself, so nothing is known about that`,
      'the balancer may choose by source address, or not have these masters as backends; say balancer.hairpin in cluster.yaml if you know',
    );
  }
  return problems;
}

function foreignProblems(seen: ProbeObservation, by: (one: Try) => Answer): Problem[] {
  const with_ = (what: 'tls' | 'not-tls') =>
    seen.clients
      .filter((client) =>
        client.tries.some((one) => {
          const answer = by(one);
          return answer.is === 'foreign' && answer.what === what;
        }),
      )
      .map((client) => client.node);
  const tls = with_('tls');
  const other = with_('not-tls');
  return [
    ...(tls.length === 0
      ? []
      : [
          {
            code: 'TLS_TERMINATED' as const,
            nodes: tls,
            text: 'The listener of the balancer ends TLS itself: the certificate seen through the endpoint is served by no master',
            hint: 'client certificates of kubelets and of kubeadm cannot pass such a listener; make it a TCP (layer 4) listener',
          },
        ]),
    ...(other.length === 0
      ? []
      : [
          {
            code: 'NOT_TLS' as const,
            nodes: other,
            text: 'Something that does not speak TLS answers at the endpoint, as an HTTP listener does',
            hint: 'make it a TCP (layer 4) listener',
          },
        ]),
  ];
}

function silenceProblems(nodes: readonly NodeVerdict[], seen: ProbeObservation): Problem[] {
  const tried = nodes.filter((node) => node.tries > 0);
  const anyAnswer = tried.some(
    (node) => node.answered > 0 || node.class === 'foreign' || node.stray > 0 || node.returned > 0,
  );
  if (tried.length === 0) return [];
  if (anyAnswer) return partlyBlocked(nodes, seen);
  const names = tried.map((node) => node.node);
  const refused = tried.some((node) => node.refused > 0);
  const checked = seen.backends.some((b) => b.checksSeen > 0 || b.outsideAt.includes(seen.backendPort));
  if (!checked) {
    return [
      {
        code: 'NO_HEALTHY_BACKEND',
        nodes: names,
        text: `No master ever heard from the balancer on port ${seen.backendPort}${refused ? ', and it refuses connections' : ''}`,
        hint: `are the masters its backends, on port ${seen.backendPort}, and do their security groups let its health checks in?`,
      },
    ];
  }
  if (refused) {
    return [
      {
        code: 'NO_HEALTHY_BACKEND',
        nodes: names,
        text: 'The balancer refuses connections although its checks reach the masters: it has no healthy backend, or no such listener',
        hint: `compare its health check (protocol, port, path) with balancer.healthCheck in cluster.yaml, and its listener with port ${seen.endpoint.port}`,
      },
    ];
  }
  return [
    {
      code: 'NODES_BLOCKED',
      nodes: names,
      text: 'The balancer reaches the masters, but no node reaches the balancer',
      hint: 'let the nodes’ addresses in: security group or access list of the balancer’s listener',
    },
  ];
}

/** Some nodes get through and some get nothing at all, workers among them: those are kept out. */
function partlyBlocked(nodes: readonly NodeVerdict[], seen: ProbeObservation): Problem[] {
  const dead = nodes.filter((node, i) => {
    const worker = seen.clients[i]?.role === 'worker';
    return (
      worker &&
      node.tries > 0 &&
      node.answered === 0 &&
      node.stray === 0 &&
      node.class === 'unreachable' &&
      seen.clients[i]?.route !== 'none'
    );
  });
  if (dead.length === 0) return [];
  const names = dead.map((node) => node.node);
  return [
    {
      code: 'NODES_BLOCKED',
      nodes: names,
      text: `${names.join(', ')} cannot reach the endpoint at all, and others can`,
      hint: 'a worker does not hairpin: look at security groups, access lists and routes between it and the balancer',
    },
  ];
}

/** Masters that serve and to which no connection was sent, while others got some. */
function unusedBackends(nodes: readonly NodeVerdict[], seen: ProbeObservation, by: (one: Try) => Answer): Problem[] {
  const answers = seen.clients.filter((client) => client.route !== 'local').flatMap((client) => client.tries.map(by));
  const used = new Set([
    ...answers.flatMap((answer) => (answer.is === 'backend' ? [answer.node] : [])),
    ...nodes.filter((node) => node.returned > 0).map((node) => node.node),
  ]);
  // An answer that could have come from anybody, or one that was thrown away, keeps everybody from being called unused.
  if (used.size === 0 || used.has(undefined) || nodes.some((node) => node.stray > 0)) return [];
  const unused = seen.backends.filter((backend) => backend.listening && !used.has(backend.node)).map((b) => b.node);
  if (unused.length === 0) return [];
  return [
    {
      code: 'BACKEND_UNUSED',
      nodes: unused,
      text: `No connection was sent to ${unused.join(', ')}, although ${unused.length === 1 ? 'it serves' : 'they serve'}`,
      hint: 'is it a healthy backend of the balancer? One that chooses by source address may leave a backend out, too',
    },
  ];
}

function wrongPort(nodes: readonly NodeVerdict[], seen: ProbeObservation): Problem {
  const ports = wrongPorts(seen).join(', ');
  return {
    code: 'WRONG_BACKEND_PORT',
    nodes: nodes.filter((node) => node.tries > 0).map((node) => node.node),
    text: `The balancer forwards to port ${ports} of the masters, and the spec says ${seen.backendPort}`,
    hint: `set the balancer’s backend port to ${seen.backendPort}, or balancer.backendPort in cluster.yaml to ${ports}`,
  };
}

/**
 * Ports at which the probe's connections arrived on masters, if never at the right one; for a balancer that hides the
 * source, ports at which anybody from outside knocked while nothing knocked at the right one.
 */
function wrongPorts({ backends, backendPort }: ProbeObservation): number[] {
  const probed = new Set(backends.flatMap((b) => b.arrivedAt));
  const outside = new Set(backends.flatMap((b) => b.outsideAt));
  if (probed.has(backendPort) || outside.has(backendPort)) return [];
  // Machines outside may log in by ssh; that is no health check.
  return [...(probed.size > 0 ? probed : outside)].filter((port) => port !== 22).toSorted((a, b) => a - b);
}
