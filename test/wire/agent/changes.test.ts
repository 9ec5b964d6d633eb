import { describe, expect, test } from 'vitest';
import type { DrillRecord } from '../../../src/drill/history/record.ts';
import { failureOf, isFailed } from '../../../src/drill/judge/connections.ts';
import { judgeWatches } from '../../../src/drill/judge/watches.ts';
import { attemptsOf, windowOf } from '../../../src/drill/judge/window.ts';
import { setDns } from '../../../src/lab/dns/start.ts';
import { breakLab, healFaults } from '../../../src/lab/faults/break.ts';
import { openLab } from '../../../src/lab/runtime/open-lab.ts';
import type { Lab } from '../../../src/lab/runtime/start-lab.ts';
import { setStandin } from '../../../src/lab/standin/control.ts';
import { address } from '../../../src/std/address.ts';
import { type AgentMachine, startAgent } from '../../support/agent-machine.ts';
import { agentStatus, untilStatus, untilSteady } from '../../support/agent-steady.ts';
import { untilInRotation, wireLab } from '../../support/balancer-lab.ts';
import { recordTraffic, type TrafficWanted } from '../../support/drill.ts';

// What an operator changes while the cluster works, and a table that is nearly full: the whole history of every client is
// judged, as in faults.test.ts.

const masters = ['m1', 'm2', 'm3'];
const rarely = { protocol: 'https', intervalMs: 20_000, timeoutMs: 2000, rise: 1, fall: 3 } as const;
const traffic: TrafficWanted = {
  connections: { perSecond: 10, patienceMs: 2000, path: '/livez' },
  watches: { count: 2, path: '/api/v1/namespaces/lab/configmaps' },
};

async function startAgents(lab: Lab, stack: AsyncDisposableStack, names: readonly string[], known = masters) {
  const members = known.map((name) => ({ name, addresses: addressesOf(lab, name) }));
  const agents = await Promise.all(names.map((name) => startAgent(lab, name, { config: { masters: members } })));
  for (const agent of agents) stack.use(agent);
  return agents;
}

const addressesOf = (lab: Lab, name: string) =>
  lab.spec.machines.find((machine) => machine.name === name)?.addresses.map((a) => a.text) ?? [];

/** What every client saw of a whole history: failures with when they were due after the fault, and what became of streams. */
function seen(history: readonly DrillRecord[], clients: readonly string[]) {
  const window = windowOf(history);
  if (window === undefined) throw new Error('the fault was never in force');
  return clients.map((client) => {
    const attempts = attemptsOf(history, client, 'new');
    const failed = attempts.filter(isFailed);
    const watches = judgeWatches(history, client, window, { is: 'every' });
    return {
      client,
      attempts: attempts.length,
      failures: failed.map((a) => `${failureOf(a)} due at ${Math.round(a.scheduledAt - window.faultAt)}`),
      lastFailureDueMs: Math.max(0, ...failed.map((a) => a.scheduledAt - window.faultAt)),
      servers: [
        ...new Set(attempts.flatMap((a) => (a.scheduledAt > window.faultAt ? (a.server ?? []) : []))),
      ].toSorted(),
      streams: watches.streams.map(({ server, is }) => `${server} ${is}`),
      wrong: [...watches.missed, ...watches.duplicated, ...watches.disordered],
      gapMs: watches.longestGapMs,
    };
  });
}

const said = (agents: readonly AgentMachine[]) =>
  agents.flatMap((agent) => agent.log.slice(-25).map((line) => `${agent.name} ${line}`)).join('\n');

test('DNS changes what the endpoint is called, and then says nothing any more: nobody fails, old answers and new ones are steered', async () => {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(
    await wireLab({
      name: 'faults5-dns',
      masters: 3,
      workers: 1,
      ip: '4',
      endpoint: { kind: 'domain' },
      balancer: { like: 'works', healthCheck: rarely },
    }),
  );
  const running = await openLab(lab.name);
  await untilInRotation(lab, masters);
  const { domain = '' } = lab.spec.endpoint;
  const [before, after] = lab.spec.endpoint.addresses.map((a) => a.text);
  if (before === undefined || after === undefined) throw new Error('the name has not two addresses');
  await setDns(lab.cx.paths, domain, [address(before)]);
  const server = lab.cx.topology.dns.addresses.map((a) => `${a.text}:53`);
  const agents = await Promise.all(
    ['m1', 'm2', 'w1'].map((name) => startAgent(lab, name, { config: { dns: server } })),
  );
  for (const agent of agents) stack.use(agent);
  await untilSteady(agents, masters);

  // `m1` and `w1` ask DNS for each connection; the pod and m2 have an old answer and keep it, as many programs do.
  const pinned = { host: before, serverName: domain };
  const clients = { m1: traffic, w1: traffic, 'm1-pod': { ...traffic, ...pinned }, m2: { ...traffic, ...pinned } };
  await using recorded = await recordTraffic(lab, clients);
  await recorded.run(1500);
  recorded.mark('fault', 'DNS change');
  await setDns(lab.cx.paths, domain, [address(after)]);
  for (const agent of agents) {
    await untilStatus(
      agent,
      'steers the old and the new address',
      (s) => s.endpoint.addresses.filter(({ steered }) => steered).length === 2 && s.table.problem === null,
      12_000,
    );
  }
  recorded.mark('note', 'both are steered');
  // Whatever is answered from here on was steered.
  await breakLab(running, { fault: 'balancer-down' });
  await recorded.run(3000);
  const byName = await recorded.stop();
  // The watches of m1 and w1 go on; their next connection would need the name.
  await using later = await recordTraffic(lab, {
    m1: { ...traffic, host: after, serverName: domain },
    w1: { ...traffic, host: after, serverName: domain },
    'm1-pod': { ...traffic, ...pinned },
    m2: { ...traffic, ...pinned },
  });
  await later.run(1000);
  later.mark('fault', 'the name is gone from DNS');
  await setDns(lab.cx.paths, domain, []);
  await untilStatus(agents[0] as AgentMachine, 'has seen it', (s) => s.endpoint.dnsProblem !== null, 15_000);
  await later.run(4000);
  const withoutName = await later.stop();
  await healFaults(running);

  for (const history of [byName, withoutName]) {
    for (const { client, attempts, failures, servers, streams, wrong } of seen(history, Object.keys(clients))) {
      expect([client, failures, wrong], said(agents)).toEqual([client, [], []]);
      expect(attempts).toBeGreaterThan(40);
      expect(
        streams.filter((stream) => !stream.endsWith(' alive')),
        client,
      ).toEqual([]);
      if (history === withoutName)
        expect([client, servers]).toEqual([client, client === 'w1' ? masters : [client.slice(0, 2)]]);
    }
  }
});

describe('membership', () => {
  test('a master joins, the others crash, it is taken out again: whoever is there has the connections', async () => {
    await using stack = new AsyncDisposableStack();
    const lab = stack.use(
      await wireLab({
        name: 'faults5-members',
        masters: 3,
        workers: 1,
        ip: '4',
        balancer: { like: 'drop', healthCheck: rarely },
      }),
    );
    const running = await openLab(lab.name);
    await untilInRotation(lab, masters);
    const announce = async (names: readonly string[], from = masters) => {
      const members = names.flatMap((name) => addressesOf(lab, name));
      for (const name of from) await setStandin(lab.cx.paths, name, { members });
    };
    await announce(['m1', 'm2']);
    const agents = await startAgents(lab, stack, ['m1', 'm2', 'w1'], ['m1', 'm2']);
    await untilSteady(agents, ['m1', 'm2']);
    const clients = { m1: traffic, 'm1-pod': traffic, w1: traffic };
    const newcomer = addressesOf(lab, 'm3').join();

    await using joining = await recordTraffic(lab, clients);
    await joining.run(1500);
    joining.mark('fault', 'm3 joins');
    const asked = performance.now();
    await announce(masters);
    for (const agent of agents) {
      await untilStatus(
        agent,
        'm3 is known and ready',
        (s) => s.backends.some(({ name, state }) => name === newcomer && state === 'ready'),
        30_000,
      );
    }
    console.log(`m3 was known to every agent after ${Math.round(performance.now() - asked)} ms`);
    await joining.run(2000);
    for (const { client, failures, streams, wrong, servers } of seen(await joining.stop(), Object.keys(clients))) {
      expect([client, failures, wrong], said(agents)).toEqual([client, [], []]);
      expect(
        streams.filter((stream) => !stream.endsWith(' alive')),
        client,
      ).toEqual([]);
      // A worker's connections are spread over all that are ready.
      if (client === 'w1') expect(servers).toEqual(masters);
    }

    // Nobody configured m3, and it has everything.
    await using alone = await recordTraffic(lab, clients);
    await alone.run(1000);
    for (const name of ['m1', 'm2'])
      await breakLab(running, { fault: 'stop', target: name, process: 'kube-apiserver' });
    alone.mark('fault', 'm1 and m2 are down');
    await alone.run(4000);
    for (const { client, lastFailureDueMs, servers, streams, wrong } of seen(
      await alone.stop(),
      Object.keys(clients),
    )) {
      expect([client, wrong, lastFailureDueMs < 50], said(agents)).toEqual([client, [], true]);
      expect(servers.at(-1), client).toBe('m3');
      expect(
        streams.filter((stream) => stream.endsWith(' stuck')),
        client,
      ).toEqual([]);
    }
    await healFaults(running);
    for (const agent of agents) {
      await untilStatus(agent, 'all are ready', (s) => s.backends.every(({ state }) => state === 'ready'), 60_000);
    }

    // Taken out: announced no more, its apiserver gone. Then it is down and asked on; nobody's connection is lost to it.
    await using leaving = await recordTraffic(lab, clients);
    await leaving.run(1000);
    await breakLab(running, { fault: 'stop', target: 'm3', process: 'kube-apiserver' });
    leaving.mark('fault', 'm3 is removed');
    await announce(['m1', 'm2'], ['m1', 'm2']);
    await leaving.run(8000);
    for (const { client, lastFailureDueMs, servers, streams, wrong } of seen(
      await leaving.stop(),
      Object.keys(clients),
    )) {
      expect([client, wrong, lastFailureDueMs < 50], said(agents)).toEqual([client, [], true]);
      expect(
        streams.filter((stream) => stream.endsWith(' stuck')),
        client,
      ).toEqual([]);
      expect(servers, client).not.toContain('m3');
    }
  });
});

test('a connection tracking table that is nearly full: a hang is answered as on an empty one, and its streams end', async () => {
  await using stack = new AsyncDisposableStack();
  const lab = stack.use(
    await wireLab({
      name: 'faults5-full',
      masters: 3,
      workers: 0,
      ip: '4',
      balancer: { like: 'drop', healthCheck: rarely },
    }),
  );
  const running = await openLab(lab.name);
  await untilInRotation(lab, masters);
  const agents = await startAgents(lab, stack, ['m1', 'm2']);
  await untilSteady(agents, masters);
  const max = Number((await lab.exec('m1', ['cat', '/proc/sys/net/netfilter/nf_conntrack_max'])).stdout);
  // Datagrams to ports of loopback where nobody listens: one entry each. Up to 97 %, so that the kernel evicts nobody yet.
  const wanted = Math.floor(max * 0.97);
  const fill = `
    const s = require('node:dgram').createSocket('udp4'); s.on('error', () => {});
    let n = 0;
    const go = () => { for (let i = 0; i < 500 && n < ${wanted}; i++, n++) s.send('', 1024 + (n % 60000), '127.0.0.' + (1 + Math.floor(n / 60000)), () => {});
      if (n < ${wanted}) setImmediate(go); else setTimeout(() => process.exit(0), 1000); };
    go();`;
  await lab.exec('m1', ['sh', '-c', 'echo 600 >/proc/sys/net/netfilter/nf_conntrack_udp_timeout']);
  await lab.exec('m1', [process.execPath, '-e', fill]);
  const entries = Number((await lab.exec('m1', ['conntrack', '-C'])).stdout);
  expect(entries).toBeGreaterThan(max * 0.9);

  const clients = { m1: traffic, 'm1-pod': traffic, m2: traffic };
  await using recorded = await recordTraffic(lab, clients);
  await recorded.run(1500);
  await breakLab(running, { fault: 'freeze', target: 'm1', process: 'kube-apiserver' });
  recorded.mark('fault', `hang of m1, ${entries} of ${max} entries`);
  await recorded.run(20_000);
  await healFaults(running);
  recorded.mark('healed');
  await recorded.run(2000);
  const found = seen(await recorded.stop(), Object.keys(clients));
  console.log(`${entries} of ${max} entries`, JSON.stringify(found, undefined, 1));
  for (const { client, failures, lastFailureDueMs, streams, wrong } of found) {
    expect([client, wrong], said(agents)).toEqual([client, []]);
    if (client === 'm2') {
      expect([failures, streams]).toEqual([[], ['m2 alive', 'm2 alive']]);
      continue;
    }
    expect(lastFailureDueMs, `${client}\n${said(agents)}`).toBeLessThan(500);
    expect(failures.length, client).toBeLessThanOrEqual(10);
    // conntrack lists the whole table to find the flows of one backend: seconds.
    expect(streams, said(agents)).toEqual(['m1 reset', 'm1 reset']);
  }
  expect((await agentStatus(agents[0] as AgentMachine)).counters.resets).toBe(1);
});
