import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silent } from '../../src/index.ts';
import { installCni, kubeadmInit, kubeadmJoin, ofRole } from '../../src/lab/rehearsal/by-hand.ts';
import { type Cost, type RealTraffic, realTraffic } from '../support/real-traffic.ts';
import { answered, differences, fileSystem, startPods, tally, UpLab } from '../support/up-lab.ts';

// A cluster that kubeadm made by hand, behind a balancer that cannot hairpin: one master, which had the endpoint's address
// on its loopback until somebody rebooted it. `agent install` is all that hairpin does here, and `agent uninstall` takes
// it back under open connections.

const opts = { emit: silent, signal: new AbortController().signal };
const vip = '172.16.105.26';
const endpoint = `${vip}:6443`;

let lab: UpLab;
let traffic: RealTraffic | undefined;
const before = new Map<string, readonly string[]>();

beforeAll(async () => {
  lab = await UpLab.start({ name: 't-agent-install', masters: 1 });
  const [m1] = ofRole(lab.lab, 'control-plane');
  const [w1] = ofRole(lab.lab, 'worker');
  if (m1 === undefined || w1 === undefined) throw new Error('The lab lacks machines');
  await installCni(lab.lab, opts);
  await lab.sh('m1', `ip address add ${vip}/32 dev lo`);
  const { join, result } = await kubeadmInit(lab.lab, m1, opts);
  if (join === undefined) throw new Error(result.stderr);
  const joined = await kubeadmJoin(lab.lab, w1, join, opts);
  if (joined.exitCode !== 0) throw new Error(joined.stderr);
  await startPods(lab);
  await lab.sh('m1', `ip address del ${vip}/32 dev lo`);
  for (const node of lab.nodes) before.set(node, await filesOf(node));
});
afterAll(async () => {
  await traffic?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

/** What a person would call the node's configuration. The rest of a running node changes by itself. */
const filesOf = async (node: string) =>
  (await fileSystem(lab, node)).filter((line) => /^\/(?:etc|opt|root|usr\/local)\//.test(line));

const apiserverStarted = () =>
  lab.kubectl(`-n kube-system get pods -l component=kube-apiserver -o jsonpath='{..startedAt}'`);

test('without it neither the master nor a pod on it reaches the endpoint, everybody else does', async () => {
  expect([
    await answered(lab, { from: 'machine', on: 'm1' }, endpoint, 12),
    await answered(lab, { from: 'pod', on: 'm1' }, endpoint, 12),
    await answered(lab, { from: 'machine', on: 'w1' }, endpoint, 12),
  ]).toEqual([0, 0, 12]);
});

describe('agent install', () => {
  test('puts the agent on the master, and changes nothing else anywhere', async () => {
    const started = await apiserverStarted();
    const installed = await lab.hairpin('agent install', '--yes');
    expect(installed.code, installed.told).toBe(0);
    expect(installed.result, installed.told).toMatchObject({ changed: true });
    expect(await apiserverStarted()).toBe(started);
    expect(differences(before.get('w1') ?? [], await filesOf('w1'))).toEqual([]);
    const changes = differences(before.get('m1') ?? [], await filesOf('m1'));
    expect(changes.length).toBeGreaterThan(5);
    const ours =
      /^[+-] \/(?:etc\/(?:hairpin|systemd\/system|passwd|group|shadow|gshadow|subuid|subgid|\.pwd\.lock)|usr\/local\/(?:lib|bin)\/hairpin)/;
    expect(changes.filter((line) => !ours.test(line))).toEqual([]);
  });

  test('300 of 300 connections succeed from the master, a pod on it, the worker and outside', async () => {
    expect(await tally(lab, endpoint, 300)).toEqual({ m1: 300, w1: 300, 'pod on m1': 300, c1: 300 });
  });

  test('again changes nothing', async () => {
    const again = await lab.hairpin('agent install', '--yes');
    expect(again.code, again.told).toBe(0);
    expect(again.result).toMatchObject({ changed: false });
  });
});

describe('agent uninstall', () => {
  let costs: ReadonlyMap<string, Cost>;

  test('ends no open connection and no watch', { retry: 0 }, async () => {
    traffic = await realTraffic(lab.lab, ['m1', 'pod on m1']);
    const result = await traffic.act('agent uninstall', {
      inject: async () => {
        const gone = await lab.hairpin('agent uninstall', '--yes');
        expect(gone.code, gone.told).toBe(0);
        console.log(gone.stdout);
      },
      forMs: 8000,
    });
    costs = result.costs;
    for (const [client, { keptEnded, streams }] of costs) {
      expect([client, keptEnded, streams.map(({ is }) => is)]).toEqual([client, [], ['alive', 'alive']]);
    }
    const { operations, wrong } = await traffic.stop();
    expect([operations.problems, wrong]).toEqual([[], []]);
  });

  test('gives new connections to the balancer again, and the node its files', async () => {
    expect(await answered(lab, { from: 'machine', on: 'm1' }, endpoint, 12)).toBe(0);
    expect(differences(before.get('m1') ?? [], await filesOf('m1'))).toEqual([]);
    expect(await lab.sh('m1', 'nft list set ip hairpin live 2>/dev/null | grep -c expires')).toBe('0');
  });
});
