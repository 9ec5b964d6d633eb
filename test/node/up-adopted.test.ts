import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseDocument } from 'yaml';
import { silent } from '../../src/index.ts';
import { installCni, kubeadmInit, kubeadmJoin, ofRole } from '../../src/lab/rehearsal/by-hand.ts';
import { hairpin } from '../support/hairpin.ts';
import { all, podsWithoutService, startPods, tally, UpLab } from '../support/up-lab.ts';

// What most users come with: a cluster that somebody made by hand behind a balancer that cannot hairpin, with whatever
// helped at the time. m1 has the endpoint's address on its loopback, until the next reboot; m2 has it by keepalived.

const opts = { emit: silent, signal: new AbortController().signal };
const vip = '172.16.105.26';
const keepalived = `
vrrp_instance VI_1 {
  state MASTER
  interface eth0
  virtual_router_id 60
  priority 100
  advert_int 1
  unicast_src_ip 172.16.104.55
  unicast_peer { 172.16.104.54 }
  virtual_ipaddress { ${vip}/32 dev eth0 }
}
`;

let lab: UpLab;
let init: Awaited<ReturnType<typeof hairpin>>;
let plan: Awaited<ReturnType<UpLab['hairpin']>>;

beforeAll(async () => {
  lab = await UpLab.start({ name: 't-up-adopted', masters: 2 });
  const [m1, m2] = ofRole(lab.lab, 'control-plane');
  const [w1] = ofRole(lab.lab, 'worker');
  if (m1 === undefined || m2 === undefined || w1 === undefined) throw new Error('The lab lacks machines');
  await installCni(lab.lab, opts);
  await lab.sh('m1', `ip address add ${vip}/32 dev lo`);
  const { join, result } = await kubeadmInit(lab.lab, m1, opts);
  if (join === undefined) throw new Error(result.stderr);
  for (const machine of [m2, w1]) {
    const joined = await kubeadmJoin(lab.lab, machine, join, opts);
    if (joined.exitCode !== 0) throw new Error(joined.stderr);
  }
  await lab.sh(
    'm2',
    `printf '%s' "$1" >/etc/keepalived/keepalived.conf; systemctl enable --now keepalived`,
    keepalived,
  );
  await lab.sh('m2', `for i in $(seq 30); do ip address show to ${vip} | grep -q . && break; sleep 0.5; done`);
  await lab.sh('m1', `echo "${vip} lb.old.example" >>/etc/hosts`);
  const target = ['--from-cluster', 'root@172.16.104.54', '--ssh-config', lab.lab.cx.paths.sshConfig];
  init = await hairpin(['init', ...target, '--balancer', 'alibaba-clb', '-f', lab.file, '--force']);
  plan = await lab.hairpin('plan', '--strategy', 'steer');
});
afterAll(async () => lab?.[Symbol.asyncDispose]());

test('init --from-cluster describes the cluster, and says what it found on the masters', async () => {
  expect(init.code, init.stderr).toBe(0);
  const text = await readFile(lab.file, 'utf8');
  const { spec } = parseDocument(text).toJS() as { readonly spec: Record<string, unknown> };
  expect(spec).toMatchObject({
    kubernetes: { version: 'v1.37.2', podSubnet: '10.244.0.0/16', serviceSubnet: '10.96.0.0/12' },
    endpoint: { address: vip, port: 6443 },
    balancer: { product: 'alibaba-clb', hairpin: 'auto' },
    strategy: 'bind-vip',
    nodes: [
      { name: 'm1', role: 'control-plane', address: '172.16.104.54' },
      { name: 'm2', role: 'control-plane', address: '172.16.104.55' },
      { name: 'w1', role: 'worker', address: '172.16.104.56' },
    ],
  });
  expect(text).toContain('# Found: keepalived on m2 claims 172.16.105.26');
});

test('the plan has what the strategy needs on the masters, and nothing else', () => {
  expect(plan.code, plan.told).toBe(2);
  expect(plan.result).toMatchObject({ blockers: [] });
  const steps =
    (plan.result?.steps as { readonly node: string; readonly kind: string; readonly path?: string }[]) ?? [];
  expect([...new Set(steps.map(({ node }) => node))].toSorted()).toEqual(['m1', 'm2']);
  // The agent, its configuration and its units: nothing of kubeadm, no credentials, no images, no /etc/hosts.
  expect(steps.filter(({ kind }) => /kubeadm|credentials|images|hosts|pods/.test(kind))).toEqual([]);
  expect(steps.length).toBeGreaterThan(0);
  const files = steps.flatMap(({ path }) => path ?? []);
  expect(
    files.filter(
      (path) => !/^\/(?:etc\/(?:hairpin|systemd\/system\/hairpin)|usr\/local\/(?:lib|bin)\/hairpin)/.test(path),
    ),
  ).toEqual([]);
});

test('up does that, keeps every apiserver running, and every check is ok', async () => {
  const started = () => lab.kubectl(`-n kube-system get pods -l tier=control-plane -o jsonpath='{..startedAt}'`);
  const before = await started();
  const up = await lab.hairpin('up', '--yes', '--strategy', 'steer');
  expect(up.code, up.told).toBe(0);
  expect(up.result).toMatchObject({ changed: true, ok: true });
  expect(await started()).toBe(before);
});

test('300 of 300 from every client class, also without the hacks', async () => {
  await startPods(lab);
  expect(await podsWithoutService(lab)).toEqual([]);
  expect(await tally(lab, `${vip}:6443`, 300)).toEqual(all(lab, 300));
  await lab.sh('m1', `ip address del ${vip}/32 dev lo`);
  await lab.sh('m2', 'systemctl disable --now keepalived');
  expect(await tally(lab, `${vip}:6443`, 300)).toEqual(all(lab, 300));
});

test('a second up plans nothing', async () => {
  const again = await lab.hairpin('up', '--yes', '--strategy', 'steer');
  expect(again.code, again.told).toBe(0);
  expect(again.result).toMatchObject({ changed: false, ok: true });
});

test('the doctor finds nothing', async () => {
  expect(await lab.complaints()).toEqual([]);
});
