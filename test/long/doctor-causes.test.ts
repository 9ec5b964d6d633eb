import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { joinScenarios, leave, type Scenario, scenarios } from '../support/doctor-scenarios.ts';
import { hairpin } from '../support/hairpin.ts';
import { UpLab } from '../support/up-lab.ts';

// Every cause that this machine can produce, one after the other on one real cluster behind a balancer that cannot
// hairpin: broken, named first by the doctor on live nodes and from a support bundle, healed, and a clean bill again.
// HAIRPIN_TEST_LAB names a lab that is up (domain endpoint, strategy steer), to work on a single scenario.

interface Told {
  readonly findings: readonly {
    readonly cause: string;
    readonly confidence: string;
    readonly nodes: readonly string[];
  }[];
  readonly symptoms: readonly unknown[];
  readonly ms: number;
}

/** A machine that is busy with other work answers late; what is measured is judged in its own test. */
const patience = '30s';

let lab: UpLab;
let dir: string;
const took: number[] = [];

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-doctor-'));
  const given = process.env.HAIRPIN_TEST_LAB;
  if (given !== undefined) {
    lab = await UpLab.open(given);
    return;
  }
  lab = await UpLab.start({ name: 't-doctor', endpoint: { kind: 'domain' } });
  const up = await lab.hairpin('up', '--yes', '--strategy', 'steer');
  if (up.code !== 0) throw new Error(up.told);
});
afterAll(async () => {
  if (process.env.HAIRPIN_TEST_LAB === undefined) await lab?.[Symbol.asyncDispose]();
  await rm(dir, { recursive: true, force: true });
});

async function told(args: readonly string[]): Promise<Told & { readonly code: number; readonly text: string }> {
  const { code, stdout, stderr } = await hairpin(['doctor', '--output', 'json', '--timeout', patience, ...args]);
  if (code !== 0 && code !== 2) throw new Error(`doctor ended with ${code}\n${stderr}\n${stdout}`);
  return { ...(JSON.parse(stdout) as Told), code, text: stdout };
}

/** Asks again until it says so; gives the last answer. */
async function until(args: readonly string[], is: (one: Told) => boolean, ms: number) {
  const end = Date.now() + ms;
  while (true) {
    const last = await told(args);
    if (is(last) || Date.now() > end) return last;
    await sleep(2000);
  }
}

const names = ({ findings }: Told) => findings.map(({ cause }) => cause);

/** `but`: a master that has not joined is a symptom, and nothing is wrong with it. Gives what is still found. */
async function untilClean(but: 'nothing' | 'symptoms' = 'nothing'): Promise<readonly unknown[]> {
  const left = ({ findings, symptoms }: Told) => [...findings, ...(but === 'symptoms' ? [] : symptoms)];
  return left(await until(['-f', lab.file], (one) => left(one).length === 0, 240_000));
}

interface Produced {
  /** Which cause was named first, by each way of asking. */
  readonly live: string | undefined;
  readonly bundle: string | undefined;
  readonly printed?: string | undefined;
  /** What was still found after healing. */
  readonly left: readonly unknown[];
}

async function produce(scenario: Scenario, after: Parameters<typeof untilClean>[0] = 'nothing'): Promise<Produced> {
  const { cause, cluster, printed } = scenario;
  const file = cluster === undefined ? lab.file : join(dir, `${cause}.yaml`);
  if (cluster !== undefined) await writeFile(file, cluster(await readFile(lab.file, 'utf8')));
  const first = (one: Told & { readonly text: string }) => {
    const [name] = names(one);
    return name === cause ? name : `${name}\n${one.text}`;
  };
  let found: Omit<Produced, 'left'>;
  try {
    await scenario.break(lab);
    const live = await until(['-f', file], (one) => names(one)[0] === cause, 90_000);
    took.push(live.ms);
    const bundle = join(dir, `${cause}.tar.gz`);
    const made = await hairpin(['support', '-f', file, '--to', bundle, '--timeout', patience]);
    if (made.code !== 0) throw new Error(made.stderr);
    found = { live: first(live), bundle: first(await told(['--log', bundle])) };
    if (printed !== undefined) {
      const log = join(dir, `${cause}.txt`);
      await writeFile(log, await printed(lab));
      const alone = first(await told(['--log', log]));
      found = { ...found, printed: alone === cause ? alone : `${await readFile(log, 'utf8')}\n${alone}` };
    }
  } finally {
    await scenario.heal(lab);
  }
  return { ...found, left: await untilClean(after) };
}

const wanted = ({ cause, printed }: Scenario) => ({
  live: cause,
  bundle: cause,
  ...(printed === undefined ? {} : { printed: cause }),
  left: [],
});

test('a healthy cluster gets a clean bill', async () => {
  expect(await untilClean()).toEqual([]);
});

describe('produced, named first, healed', () => {
  test.each(scenarios.map((one) => [one.cause, one.what, one] as const))('%s: %s', async (_cause, _what, one) => {
    expect(await produce(one)).toEqual(wanted(one));
  });
});

test('a support bundle has no secret of the cluster in it', async () => {
  const path = join(dir, 'support.tar.gz');
  expect((await hairpin(['support', '-f', lab.file, '--to', path])).code).toBe(0);
  const text = gunzipSync(await readFile(path)).toString('latin1');
  const read = (script: string) => lab.sh('m1', script);
  const token = (await read('kubeadm token create')).trim();
  const again = join(dir, 'again.tar.gz');
  await hairpin(['support', '-f', lab.file, '--to', again]);
  const after = gunzipSync(await readFile(again)).toString('latin1');
  const secrets = [
    ...(await read('cat /etc/kubernetes/pki/*.key /etc/kubernetes/pki/etcd/*.key')).split('\n'),
    ...(await read("sed -n 's/^ *client-\\(key\\|certificate\\)-data: *//p' /etc/kubernetes/*.conf")).split('\n'),
    token,
    token.split('.')[1] ?? '',
  ].filter((line) => line.length >= 16 && !line.startsWith('-----'));
  expect(secrets.length).toBeGreaterThan(50);
  expect(secrets.filter((secret) => text.includes(secret) || after.includes(secret))).toEqual([]);
  await read(`kubeadm token delete ${token.split('.')[0]}`);
  expect(text).toContain('hairpin-support/1');
});

test('four nodes are looked at in 5 s', () => {
  const sorted = took.toSorted((a, b) => a - b);
  expect(sorted.at(-1), sorted.map(Math.round).join(' ')).toBeLessThan(5000);
});

describe('joins that go wrong', () => {
  beforeAll(async () => {
    await leave(lab);
  });
  test.each(joinScenarios.map((one) => [one.cause, one.what, one] as const))('%s: %s', async (_cause, _what, one) => {
    expect(await produce(one, 'symptoms')).toEqual(wanted(one));
  });
  test('m3 joins again', async () => {
    const up = await lab.hairpin('up', '--yes', '--strategy', 'steer');
    expect(up.code, up.told).toBe(0);
    expect(await untilClean()).toEqual([]);
  });
});
