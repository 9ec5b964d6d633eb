import type { ChildProcess } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type AgentSpace, agentSpace, masterAddress } from '../../support/agent/loopback.ts';

// What an agent knows of the world: who the apiservers are, what the endpoint is called, who may ask; and what it tells.

const names = ['m1', 'm2', 'm3'];
const announce = async (space: AgentSpace, from: readonly string[], members: readonly string[]) => {
  for (const name of from) await space.set(name, { members: members.map(masterAddress) });
};

describe('membership', () => {
  test('a master that joins is asked within seconds, is remembered on disk, and one that is removed is forgotten', async () => {
    await using space = await agentSpace(names);
    await space.addAddress(masterAddress('m4'));
    for (const name of names) await space.startMaster(name);
    const agent = await space.startAgent();
    await agent.until('all are ready', (s) => s.backends.every((b) => b.state === 'ready'), 30_000);
    await space.startMaster('m4');
    await announce(space, names, ['m1', 'm2', 'm3', 'm4']);
    const took = await agent.until(
      'm4 is known by its address and ready',
      (s) => s.backends.some((b) => b.name === masterAddress('m4') && b.state === 'ready' && b.from === 'cluster'),
      20_000,
    );
    expect(took).toBeLessThan(10_000);
    const onDisk = async () =>
      (JSON.parse(await readFile(agent.membershipFile, 'utf8')) as { seen: { address: string }[] }).seen
        .map(({ address }) => address)
        .toSorted();
    await expect.poll(onDisk, { timeout: 15_000 }).toEqual(['m1', 'm2', 'm3', 'm4'].map(masterAddress));

    // Announced no more and never configured: down, and still asked.
    space.master('m4').kill('SIGKILL');
    await announce(space, names, names);
    await agent.until(
      'm4 is down and not gone',
      (s) => s.backends.some((b) => b.state === 'failed' && b.absentMs > 0),
      20_000,
    );

    // Taken out of the configuration and absent: gone.
    space.master('m3').kill('SIGKILL');
    await announce(space, ['m1', 'm2'], ['m1', 'm2']);
    const two = { ...space.config, masters: space.config.masters.slice(0, 2) };
    await writeFile(agent.configFile, JSON.stringify(two));
    agent.child.kill('SIGHUP');
    await agent.until(
      'm3 is gone',
      (s) => s.backends.every((b) => b.name !== masterAddress('m3') && b.name !== 'm3'),
      20_000,
    );
  });

  test('a cold start without any apiserver asks those on disk; a damaged file is said and not used', async () => {
    await using space = await agentSpace(['m1']);
    await space.addAddress(masterAddress('m2'));
    const first = await space.startAgent();
    await first.until('only m1 is known', (s) => s.backends.length === 1);
    first.child.kill('SIGTERM');
    const seen = [masterAddress('m1'), masterAddress('m2')].map((address) => ({
      address,
      absentMs: 0,
      configured: false,
    }));
    await writeFile(first.membershipFile, JSON.stringify({ version: 1, seen }));
    await sleep(500);
    const second = await space.startAgent();
    await space.startMaster('m2');
    await second.until('m2 is ready', (s) => s.inForce?.backends.join() === masterAddress('m2'), 20_000);
    second.child.kill('SIGTERM');
    await writeFile(second.membershipFile, '{"version":1,"seen":[{"addr');
    await sleep(500);
    const third = await space.startAgent();
    await third.until('only m1 is known', (s) => s.backends.length === 1);
    expect(third.lines.map(({ msg }) => msg)).toContain(
      `${third.membershipFile} is damaged and is not used; the configuration says whom to ask`,
    );
  });
});

/** dnsmasq inside the space; `say` changes what the name is. */
async function nameServer(space: AgentSpace) {
  const hosts = join(space.dir, 'dns-hosts');
  let child: ChildProcess | undefined;
  const say = async (addresses: readonly string[]) => {
    await writeFile(hosts, addresses.map((address) => `${address} api.prober.test\n`).join(''));
    child?.kill('SIGHUP');
  };
  await say(['10.99.1.1']);
  const start = () => {
    child = space.spawn([
      'dnsmasq',
      '--keep-in-foreground',
      '--no-resolv',
      '--no-hosts',
      '--conf-file=/dev/null',
      `--addn-hosts=${hosts}`,
      '--listen-address=127.0.0.1',
      '--bind-interfaces',
      '--port=5353',
      '--local-ttl=1',
      `--pid-file=${join(space.dir, 'dnsmasq.pid')}`,
      '--user=root',
    ]);
  };
  start();
  await sleep(300);
  return { say, start, stop: () => child?.kill('SIGKILL'), [Symbol.dispose]: () => void child?.kill('SIGKILL') };
}

test('the endpoint as a name: all answers are steered, old ones for a while, none of a node, and a dead server changes nothing', async () => {
  await using space = await agentSpace(names);
  await space.addAddress('10.99.1.2');
  await space.addAddress('fd99::1');
  using dns = await nameServer(space);
  for (const name of names) await space.startMaster(name);
  const agent = await space.startAgent({
    endpoint: { host: 'api.prober.test', addresses: [], port: 6443 },
    dns: ['127.0.0.1:5353'],
  });
  const steered = (addresses: string, ms = 20_000) =>
    agent.until(
      `steered: ${addresses}`,
      (s) =>
        s.endpoint.addresses.map(({ address, steered }) => `${address}${steered ? '' : ' not'}`).join() === addresses &&
        s.inForce?.backends.join() === 'm1' &&
        s.table.renewing &&
        s.table.problem === null,
      ms,
    );
  await steered('10.99.1.1');
  // TTL 1 s, asked again each five.
  await dns.say(['10.99.1.2', 'fd99::1', masterAddress('m2'), '127.0.0.1']);
  await steered('10.99.1.1,10.99.1.2,fd99::1');
  const { dnsProblem } = (await agent.status()).endpoint;
  expect(dnsProblem).toContain('10.99.0.2 is the address of a node');
  expect(dnsProblem).toContain('"127.0.0.1" is a loopback address');
  dns.stop();
  await agent.until(
    'the server is dead',
    (s) => s.endpoint.dnsProblem?.includes('what is known stays') ?? false,
    30_000,
  );
  await steered('10.99.1.1,10.99.1.2,fd99::1');
});

test('metrics say what the status says, on loopback only, and of 404 nothing', async () => {
  await using space = await agentSpace(names);
  for (const name of names) await space.startMaster(name);
  const agent = await space.startAgent({ metrics: { port: 9105 } });
  await agent.until('steered to m1', (s) => s.inForce?.backends.join() === 'm1' && s.table.renewing, 30_000);
  space.master('m2').kill('SIGKILL');
  await agent.until('m2 is down', (s) => s.counters.resets > 0, 20_000);
  const curl = async (path: string) => {
    const child = space.spawn([
      'curl',
      '-s',
      '-o',
      join(space.dir, 'body'),
      '-w',
      '%{http_code}',
      `http://127.0.0.1:9105${path}`,
    ]);
    await new Promise((resolve) => child.once('exit', resolve));
    return await readFile(join(space.dir, 'body'), 'utf8');
  };
  const text = await curl('/metrics');
  const lines = text.split('\n').filter((line) => !line.startsWith('#'));
  for (const wanted of [
    'hairpin_backend_state{backend="m1",state="ready"} 1',
    'hairpin_backend_state{backend="m2",state="failed"} 1',
    'hairpin_backend_steered{backend="m1"} 1',
    'hairpin_backend_steered{backend="m3"} 0',
    'hairpin_balancer_used 0',
    'hairpin_steerer_up 1',
    'hairpin_config_ok 1',
    'hairpin_flow_resets_total{backend="m2",where="node"} 1',
    'hairpin_backend_transitions_total{backend="m2",from="ready",to="failed"} 1',
    'hairpin_build_info{version="checkout",node="m1",role="control-plane"} 1',
  ]) {
    expect(lines).toContain(wanted);
  }
  expect(text).toMatch(/hairpin_backend_rtt_seconds_count\{backend="m1"\} \d+/);
  expect(text).toMatch(/hairpin_renewals_total\{result="renewed"\} [1-9]/);
  expect(text).toMatch(
    /hairpin_backend_last_transition_info\{backend="m2",state="failed",reason="its connection ended and a new one was refused"\} 1/,
  );
  expect(await curl('/')).toBe('GET /metrics\n');
  await rm(join(space.dir, 'body'));
});

test('a client certificate that appears and rotates is used without a verdict against anybody', async () => {
  await using space = await agentSpace(names);
  for (const name of names) await space.startMaster(name);
  const agent = await space.startAgent();
  await agent.until('all are ready', (s) => s.backends.every((b) => b.state === 'ready'), 30_000);
  const before = (await agent.status()).counters.transitions;
  const pair = {
    cert: await readFile(join(space.dir, 'pki/balancer.crt'), 'utf8'),
    key: await readFile(join(space.dir, 'pki/balancer.key'), 'utf8'),
  };
  space.steerer.credentials = pair;
  // The prober asks when the steerer comes up; a restart stands for the minute that it would wait otherwise.
  await space.steerer.stop();
  await space.steerer.start();
  await expect
    .poll(
      () => agent.lines.filter(({ msg }) => msg.includes('dialling anew with the changed client certificate')).length,
      {
        timeout: 20_000,
      },
    )
    .toBe(3);
  await agent.until('all are ready', (s) => s.backends.every((b) => b.state === 'ready'), 30_000);
  const failed = agent.lines.filter(({ to }) => to === 'failed' || to === 'unready');
  expect([failed, before]).toEqual([[], before]);
});
