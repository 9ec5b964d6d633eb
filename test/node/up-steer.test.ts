import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AgentStatus } from '../../src/index.ts';
import {
  all,
  differences,
  fileSystem,
  podsWithoutService,
  startPods,
  tally,
  UpLab,
  watchSecrets,
} from '../support/up-lab.ts';

// Real kubeadm, three masters and a worker, behind a balancer that cannot hairpin (alibaba-clb: drop), strategy steer.

let lab: UpLab;
const before = new Map<string, readonly string[]>();
let first: Awaited<ReturnType<UpLab['hairpin']>>;
let seen: { secrets: readonly string[]; argvs: string };

beforeAll(async () => {
  lab = await UpLab.start({ name: 't-up-steer' });
  for (const node of lab.nodes) before.set(node, await fileSystem(lab, node));
  const watch = watchSecrets(lab);
  first = await lab.hairpin('up', '--yes', '--strategy', 'steer');
  seen = await watch.stop();
});
afterAll(async () => lab?.[Symbol.asyncDispose]());

test('up brings the cluster up, and every check is ok', () => {
  expect(first.code, first.told).toBe(0);
  expect(first.result).toMatchObject({ changed: true, ok: true });
});

test('the secrets of the run were seen on the nodes and nowhere else', async () => {
  // Token and certificate key, at least: otherwise the watching failed.
  expect(seen.secrets.length).toBeGreaterThanOrEqual(2);
  const kept = await Promise.all(
    lab.nodes.map((node) => lab.sh(node, 'cat /var/lib/hairpin/* 2>/dev/null; ls /run/hairpin')),
  );
  const told = [first.stdout, first.stderr, await lab.journals(), ...kept, seen.argvs].join('\n');
  expect(seen.secrets.filter((secret) => told.includes(secret))).toEqual([]);
});

test('the join token and the uploaded certificates are deleted, and no configuration is left', async () => {
  const secrets = await lab.kubectl('-n kube-system get secrets -o name');
  expect(secrets.split('\n').filter((name) => /bootstrap-token|kubeadm-certs/.test(name))).toEqual([]);
  const left = await Promise.all(lab.nodes.map((node) => lab.sh(node, 'ls /run/hairpin | grep yaml')));
  expect(left.join('')).toBe('');
});

test('a pod on each node reaches kubernetes.default', async () => {
  await startPods(lab);
  expect(await podsWithoutService(lab)).toEqual([]);
});

test('300 of 300 connections to the endpoint succeed from each master, a pod on it, the worker and outside', async () => {
  expect(await tally(lab, '172.16.105.26:6443', 300)).toEqual(all(lab, 300));
});

test('a second up plans nothing', async () => {
  const again = await lab.hairpin('up', '--yes', '--strategy', 'steer');
  expect(again.code, again.told).toBe(0);
  expect(again.result).toMatchObject({ changed: false, ok: true });
});

test('the doctor finds nothing', async () => {
  expect(await lab.complaints()).toEqual([]);
});

test('status and check say so; the admin kubeconfig works on an outside machine, also without the balancer', async () => {
  const status = await lab.hairpin('status');
  expect(status.result?.nodes).toMatchObject(lab.nodes.map((name) => ({ name, state: 'Ready' })));
  for (const to of ['endpoint', 'm2']) {
    const { result } = await lab.hairpin('kubeconfig', '--to', to);
    const script = `umask 077; printf '%s' "$1" >/tmp/kc.$$; kubectl --cache-dir /dev/null --kubeconfig /tmp/kc.$$ get nodes --no-headers | grep -c ' Ready '; rm -f /tmp/kc.$$`;
    expect((await lab.sh('w1', script, String(result?.kubeconfig))).trim()).toBe('4');
  }
});

test('restarting steerer and agent, as an upgrade does, ends no watch and fails no connection', async () => {
  const script = `
kubectl --kubeconfig /etc/kubernetes/admin.conf --cache-dir /dev/null get configmaps -n kube-system -w >/tmp/watch 2>&1 &
watch=$!
sleep 3
{ sleep 1; systemctl restart hairpin-steerer hairpin-agent; sleep 3; systemctl restart hairpin-agent; } &
restarts=$!
ok=0 bad=0
for i in $(seq 60); do
  if curl -sk -o /dev/null --max-time 8 https://172.16.105.26:6443/version; then ok=$((ok + 1)); else bad=$((bad + 1)); fi
  sleep 0.1
done
wait $restarts
kill -0 $watch && echo "$ok $bad alive"
kill $watch`;
  expect((await lab.sh('m1', script)).trim()).toBe('60 0 alive');
});

test('a drained master gets no new connections and its mirror says so, until it is given back', async () => {
  // What a try before this one left would be no change any more.
  await lab.hairpin('node undrain', 'm2');
  const drained = await lab.hairpin('node drain', 'm2');
  expect(drained.result, drained.told).toMatchObject({ changed: true, inService: ['m1', 'm3'] });
  const mirror = `for i in $(seq 20); do
  code=$(curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:6480/readyz); [ "$code" = "$1" ] && break; sleep 0.2
done; echo "$code"`;
  expect((await lab.sh('m2', mirror, '503')).trim()).toBe('503');
  const draining = async () => {
    const status = JSON.parse(await lab.sh('m1', 'hairpin agent status --output json')) as AgentStatus;
    return status.backends.filter(({ state }) => state === 'draining').map(({ name }) => name);
  };
  // One that is suspect for a moment is called so: a busy machine has such moments.
  await expect.poll(draining, { timeout: 20_000 }).toEqual(['m2']);
  expect(await tally(lab, '172.16.105.26:6443', 20)).toEqual(all(lab, 20));
  expect((await lab.hairpin('up', '--yes', '--strategy', 'steer')).result).toMatchObject({ changed: false });
  expect((await lab.hairpin('node undrain', 'm2')).result).toMatchObject({ changed: true });
  expect((await lab.sh('m2', mirror, '200')).trim()).toBe('200');
  await expect.poll(draining, { timeout: 20_000 }).toEqual([]);
});

test('reset gives each node back as it was', async () => {
  const reset = await lab.hairpin('reset', '--yes');
  expect(reset.code, reset.told).toBe(0);
  for (const node of lab.nodes) {
    const changes = differences(before.get(node) ?? [], await fileSystem(lab, node));
    expect(changes, node).toEqual([]);
    expect(
      await lab.sh(
        node,
        'nft list tables | grep -E "hairpin|kube-proxy"; iptables-save | grep KUBE; ls -d /var/lib/hairpin /etc/hairpin 2>/dev/null; systemctl list-unit-files | grep -E "hairpin-(steer|agent|mirror|pods)"; id hairpin 2>/dev/null; ls -d /usr/local/lib/hairpin /var/lib/hairpin-agent 2>/dev/null',
      ),
    ).toBe('');
  }
  expect((await lab.hairpin('reset', '--yes')).result).toMatchObject({ nodes: [] });
});
