import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readBalancerStatus } from '../../src/lab/balancer/client.ts';
import { setDns } from '../../src/lab/dns/start.ts';
import { pkiFiles } from '../../src/lab/pki/pki.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { readStandin, setStandin } from '../../src/lab/standin/control.ts';
import { address } from '../../src/std/address.ts';
import { untilInRotation, wireLab } from '../support/balancer-lab.ts';

const watcher = fileURLToPath(new URL('../support/watch.main.ts', import.meta.url));
const check = { protocol: 'https', intervalMs: 200, timeoutMs: 1_000, rise: 1, fall: 2 } as const;
const names = ['m1', 'm2', 'm3'];

interface Watched {
  readonly machine: string;
  readonly client: string;
  readonly seen: readonly { readonly type: string; readonly version: number }[];
  readonly problem?: string;
}

describe('a stand-in behind an endpoint that is a domain name', () => {
  let lab: Lab;
  let domain: string;
  beforeAll(async () => {
    lab = await wireLab({
      name: 'bal-standin',
      endpoint: { kind: 'domain' },
      balancer: { like: 'works', healthCheck: check },
    });
    domain = lab.spec.endpoint.domain ?? '';
    await untilInRotation(lab, names);
  });
  afterAll(async () => lab[Symbol.asyncDispose]());

  const watch = async (from: string, host: string, wanted: { since?: number; events: number }): Promise<Watched> => {
    const caFile = pkiFiles(lab.cx.paths).caFile;
    const since = wanted.since === undefined ? {} : { since: String(wanted.since) };
    const argument = { origin: `https://${host}:6443`, caFile, events: wanted.events, ...since };
    const result = await lab.exec(from, [process.execPath, watcher, JSON.stringify(argument)], { timeout: 20_000 });
    return JSON.parse(result.stdout) as Watched;
  };

  test.each([
    ...['w1', 'c1', 'm1'].map((from) => ({ from, by: 'domain' as const })),
    { from: 'w1', by: 'address of m2' as const },
    { from: 'c1', by: 'address of the endpoint' as const },
  ])('serves a verified HTTP/2 watch with ordered events to $from by the $by', async ({ from, by }) => {
    const host = {
      domain,
      'address of m2': lab.spec.machines[1]?.addresses[0]?.text ?? '',
      'address of the endpoint': lab.spec.endpoint.addresses[0]?.text ?? '',
    }[by];
    const { machine, seen } = await watch(from, host, { events: 6 });
    expect(names).toContain(machine);
    const first = seen[0]?.version ?? 0;
    expect(seen).toEqual([
      { type: 'ADDED', version: first },
      ...[1, 2, 3, 4, 5].map((n) => ({ type: 'MODIFIED', version: first + n })),
    ]);
  });

  test('resumes a watch on another master with nothing lost or seen twice', async () => {
    const one = await watch('w1', lab.spec.machines[0]?.addresses[0]?.text ?? '', { events: 3 });
    const last = one.seen.at(-1)?.version ?? 0;
    await sleep(500);
    const two = await watch('w1', lab.spec.machines[1]?.addresses[0]?.text ?? '', { since: last, events: 8 });
    expect([one.machine, two.machine]).toEqual(['m1', 'm2']);
    expect(two.seen.map((e) => e.version)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => last + n));
  });

  test('tells a watch that comes too late that its version is gone', async () => {
    const { seen } = await watch('w1', domain, { since: 1, events: 1 });
    expect(seen).toEqual([{ type: 'ERROR', version: 410 }]);
  });

  test('shows that the balancer hides the client (works) and a direct dial does not', async () => {
    const own = lab.cx.topology.balancer.addresses[0]?.text;
    const through = await watch('c1', domain, { events: 1 });
    const direct = await watch('c1', lab.spec.machines[0]?.addresses[0]?.text ?? '', { events: 1 });
    const c1 = lab.spec.machines.find((m) => m.name === 'c1')?.addresses[0]?.text;
    expect([through.client, direct.client].map((a) => a.replace('::ffff:', ''))).toEqual([own, c1]);
  });

  test('answers curl over HTTP/1.1 and HTTP/2, verified, and refuses what it does not have', async () => {
    const ca = pkiFiles(lab.cx.paths).caFile;
    const get = async (path: string, http: string) => {
      const argv = [
        'curl',
        '-s',
        '--cacert',
        ca,
        `--http${http}`,
        '-w',
        ' %{http_code} %{http_version}',
        `https://${domain}:6443${path}`,
      ];
      return (await lab.exec('w1', argv)).stdout.replaceAll(/m[123]/g, 'mN').trim();
    };
    expect([
      await get('/livez', '1.1'),
      await get('/readyz', '2'),
      await get('/healthz', '2'),
      await get('/version', '1.1'),
      await get('/nothing', '2'),
    ]).toEqual([
      'ok 200 1.1',
      'ok 200 2',
      'ok 200 2',
      '{"major":"1","minor":"0","gitVersion":"v1.0.0-standin","platform":"lab/mN"}\n 200 1.1',
      '{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"the stand-in of mN has nothing at /nothing","reason":"NotFound","code":404}\n 404 2',
    ]);
  });

  test('not ready is seen by an HTTPS check and not by clients of what it still serves', async () => {
    await setStandin(lab.cx.paths, 'm1', { ready: false });
    await untilInRotation(lab, ['m2', 'm3']);
    const { machine } = await watch('w1', lab.spec.machines[0]?.addresses[0]?.text ?? '', { events: 2 });
    expect(machine).toBe('m1');
    await setStandin(lab.cx.paths, 'm1', { ready: true });
    await untilInRotation(lab, names);
  });

  test('slower than the timeout of the check is as good as dead', async () => {
    await setStandin(lab.cx.paths, 'm2', { delayMs: 1_500 });
    await untilInRotation(lab, ['m1', 'm3']);
    expect((await readStandin(lab.cx.paths, 'm2')).delayMs).toBe(1_500);
    await setStandin(lab.cx.paths, 'm2', { delayMs: 0 });
    await untilInRotation(lab, names);
  });

  test('the name resolves to what it is changed to, on every kind of machine, within two seconds', async () => {
    const resolve = async (from: string) => {
      const { stdout } = await lab.exec(from, ['getent', 'ahosts', domain]);
      return [...new Set(stdout.split('\n').map((line) => line.split(/\s/)[0] ?? ''))]
        .filter((a) => a !== '')
        .toSorted();
    };
    const everywhere = async () => await Promise.all(['m1', 'w1', 'c1'].map(resolve));
    const original = lab.spec.endpoint.addresses;
    const before = original.map((a) => a.text).toSorted();
    expect(await everywhere()).toEqual([before, before, before]);
    await setDns(lab.cx.paths, domain, [address('172.16.105.99')]);
    await sleep(1_500);
    expect(await everywhere()).toEqual([['172.16.105.99'], ['172.16.105.99'], ['172.16.105.99']]);
    await setDns(lab.cx.paths, domain, []);
    await sleep(1_500);
    expect(await everywhere()).toEqual([[], [], []]);
    await setDns(lab.cx.paths, domain, original);
    await sleep(1_500);
    expect(await everywhere()).toEqual([before, before, before]);
  });
});

test.each(['https', 'tcp', 'http'] as const)(
  'a balancer that ends TLS shows its own certificate and speaks TLS to the backends anew (%s checks)',
  async (protocol) => {
    await using lab = await wireLab({
      name: 'bal-l7',
      workers: 1,
      balancer: { like: 'proxy', terminateTls: true, allDown: 'all', healthCheck: { ...check, protocol } },
    });
    // An HTTP check of an HTTPS port fails; connections then go to everybody, past the checks.
    await untilInRotation(lab, names);
    await until(async () => (await readBalancerStatus(lab.cx.paths)).failOpen === (protocol === 'http'));
    const vip = lab.spec.endpoint.addresses[0]?.text;
    const ca = pkiFiles(lab.cx.paths).caFile;
    const subject = async (host: string | undefined) => {
      const argv = ['curl', '-sv', '--cacert', ca, '-o', '/dev/null', '-D', '-', `https://${host}:6443/version`];
      const { stderr, stdout } = await lab.exec('m1', argv);
      return { subject: /subject: (.*)/.exec(stderr)?.[1], http: /^HTTP\/2 200/m.test(stdout) };
    };
    expect(await subject(vip)).toEqual({ subject: 'CN=balancer', http: true });
    expect(await subject(lab.spec.machines[1]?.addresses[0]?.text)).toEqual({ subject: 'CN=m2', http: true });
  },
);

async function until(is: () => Promise<boolean>): Promise<void> {
  for (const end = Date.now() + 10_000; !(await is()); await sleep(50)) {
    if (Date.now() > end) throw new Error('not so within 10 s');
  }
}
