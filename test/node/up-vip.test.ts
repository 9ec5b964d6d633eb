import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { breakLab, healFaults } from '../../src/index.ts';
import { all, podsWithoutService, startPods, tally, UpLab } from '../support/up-lab.ts';

// A plain L2 segment and no balancer at all: the masters hold the endpoint themselves, by VRRP (strategy keepalived-vip).

const endpoint = '172.16.105.26:9443';
let lab: UpLab;
let first: Awaited<ReturnType<UpLab['hairpin']>>;
let alive: readonly string[] = [];

beforeAll(async () => {
  lab = await UpLab.start({
    name: 't-up-vip',
    balancer: 'works',
    network: { kind: 'segment' },
    endpoint: { port: 9443 },
  });
  // The lab's balancer is a machine on the segment; without its cable there is none.
  await execa('ip', ['-n', lab.lab.cx.topology.balancer.netns, 'link', 'set', 'dev', 'eth0', 'down']);
  await lab.edit((document) => document.setIn(['spec', 'balancer'], 'none'));
  alive = lab.nodes.filter((name) => name.startsWith('m'));
  first = await lab.hairpin('up', '--yes');
  // The rest would only wait for time-outs.
  if (first.code !== 0) throw new Error(first.told);
});
afterAll(async () => lab?.[Symbol.asyncDispose]());

test('up brings the cluster up, and every check is ok', () => {
  expect(first.code, first.told).toBe(0);
  expect(first.result).toMatchObject({ changed: true, ok: true });
});

test('exactly one master holds the endpoint', async () => {
  expect(await holders()).toHaveLength(1);
});

test('a pod on each node reaches kubernetes.default', async () => {
  await startPods(lab);
  expect(await podsWithoutService(lab)).toEqual([]);
});

test('300 of 300 connections to the endpoint from every client class', async () => {
  expect(await tally(lab, endpoint, 300)).toEqual(all(lab, 300));
});

test('a second up plans nothing', async () => {
  const again = await lab.hairpin('up', '--yes');
  expect(again.code, again.told).toBe(0);
  expect(again.result).toMatchObject({ changed: false, ok: true });
});

test('the doctor finds nothing', async () => {
  expect(await lab.complaints()).toEqual([]);
});

test('keepalived on all masters is refused with the reason of the article', async () => {
  const { code, result } = await lab.hairpin('plan', '--strategy', 'keepalived-haproxy');
  expect(code).not.toBe(0);
  expect(result?.blockers).toMatchObject([{ code: 'ALL_MASTER_VIP' }]);
});

test('the holder loses its power: another one holds the endpoint within seconds, and outside clients follow', async () => {
  const [holder = ''] = await holders();
  // Every 50 ms a new connection, from outside and from the worker; what the clients saw is what counts.
  const watch = `end=$(($(date +%s) + 25)); while [ $(date +%s) -lt $end ]; do
    code=$(curl -sk -o /dev/null -m 1 -w '%{http_code}' https://${endpoint}/readyz); echo "$(date +%s%3N) $code"; sleep 0.05; done`;
  const watching = ['c1', 'w1'].map((client) => lab.sh(client, watch));
  await sleep(3000);
  await breakLab(lab.lab, { fault: 'power-off', target: holder });
  const seen = await Promise.all(watching);
  alive = alive.filter((name) => name !== holder);
  expect(await holders(alive)).toHaveLength(1);
  for (const text of seen) {
    const { outageMs, lastBad, end } = outage(text);
    console.log(`keepalived-vip: outage ${outageMs} ms after the holder ${holder} lost its power`);
    expect(outageMs).toBeGreaterThan(0);
    // VRRP: 3 × advert_int + skew < 4 s, then haproxy's own detection of the dead apiserver and curl's limit of 1 s.
    expect(outageMs).toBeLessThan(10_000);
    expect(end - lastBad).toBeGreaterThan(5000);
  }
});

test('the old holder comes back as a backup, and everybody reaches the endpoint again', async () => {
  const before = await holders(alive);
  await healFaults(lab.lab);
  await lab.hairpin('check');
  expect(await holders()).toEqual(before);
  expect(await tally(lab, endpoint, 60)).toEqual(all(lab, 60));
});

async function holders(
  of: readonly string[] = lab.nodes.filter((name) => name.startsWith('m')),
): Promise<readonly string[]> {
  const found = await Promise.all(
    of.map(async (name) => [name, await lab.sh(name, 'ip -oneline address show to 172.16.105.26')] as const),
  );
  return found.filter(([, text]) => text !== '').map(([name]) => name);
}

/** From the last answer before the longest time without one to the first after it. */
function outage(text: string): { readonly outageMs: number; readonly lastBad: number; readonly end: number } {
  const samples = text.split('\n').map((line) => {
    const [at, code] = line.split(' ');
    return { at: Number(at), ok: code === '200' };
  });
  let [outageMs, lastGood] = [0, samples[0]?.at ?? 0];
  for (const [i, { at, ok }] of samples.entries()) {
    if (!ok) continue;
    if (samples[i - 1]?.ok === false) outageMs = Math.max(outageMs, at - lastGood);
    lastGood = at;
  }
  return { outageMs, lastBad: samples.findLast(({ ok }) => !ok)?.at ?? 0, end: samples.at(-1)?.at ?? 0 };
}
