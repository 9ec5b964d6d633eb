import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ClusterSession, openSession } from '../../src/apply/flow/session.ts';
import type { DrillFault } from '../../src/drill/faults/fault.ts';
import { networkFaults } from '../../src/drill/faults/network.ts';
import { faultOfNodes } from '../../src/drill/faults/on-nodes.ts';
import { sshSite } from '../../src/drill/site/ssh-site.ts';
import { startLab, stopLab } from '../../src/index.ts';
import { labPaths } from '../../src/lab/paths.ts';
import type { Lab } from '../../src/lab/runtime/start-lab.ts';
import { labSpec } from '../support/lab-spec.ts';

// Real nodes with systemd, sshd and nftables, and no cluster: programs that do nothing stand where apiserver, etcd and the
// daemons of strategies would be. What a drill does to a node is the same.

const name = 'dr-faults';
let lab: Lab;
let session: ClusterSession;
let faults: ReadonlyMap<string, DrillFault>;

beforeAll(async () => {
  await stopLab(name);
  lab = await startLab(labSpec({ tier: 'node', name, masters: 2, workers: 1, balancer: 'alibaba-clb' }));
  session = await openSession({ file: labPaths(name).clusterYaml, emit: () => undefined });
  const site = await sshSite({
    name,
    ...session,
    signal: new AbortController().signal,
    quick: true,
    emit: () => undefined,
  });
  faults = new Map(site.faults.map((fault) => [fault.name, fault]));
  await Promise.all(['m1', 'm2', 'w1'].map((node) => sh(node, standIns)));
}, 120_000);
afterAll(async () => {
  await session?.[Symbol.asyncDispose]();
  await lab?.[Symbol.asyncDispose]();
});

const standIns = `set -e
mkdir -p /etc/kubernetes/manifests /etc/systemd/system/kubelet.service.d
: >/var/lib/kubelet/config.yaml
for name in kube-apiserver etcd; do
  cp /bin/sleep /usr/local/bin/$name
  echo "kind: Pod # $name" >/etc/kubernetes/manifests/$name.yaml
done
printf '[Service]\\nExecStart=\\nExecStart=/bin/sleep infinity\\n' >/etc/systemd/system/kubelet.service.d/99-test.conf
for unit in hairpin-agent hairpin-steerer hairpin-haproxy hairpin-keepalived; do
  printf '[Service]\\nExecStart=/bin/sleep infinity\\nRestart=always\\nRestartSec=0.1\\n[Install]\\nWantedBy=multi-user.target\\n' >/etc/systemd/system/$unit.service
done
systemctl daemon-reload
systemctl enable --quiet --now kubelet hairpin-agent hairpin-steerer hairpin-haproxy hairpin-keepalived
pods() { systemd-run --quiet --collect --unit=fake-$1 /usr/local/bin/$1 infinity; }
pods kube-apiserver; pods etcd
printf 'table inet ours {\\n chain c {\\n type filter hook input priority 0;\\n counter\\n }\\n}\\n' | nft -f -
iptables -t nat -A POSTROUTING -s 10.244.9.0/24 -j MASQUERADE`;

async function sh(machine: string, script: string): Promise<string> {
  const { stdout, stderr, exitCode } = await lab.exec(machine, ['sh', '-c', script]);
  return exitCode === 0 ? stdout.trim() : `exit ${exitCode} ${stderr.trim()}`.trim();
}

/** Everything that a fault may change and healing has to put back. */
const stateScript = `
find /etc/kubernetes /run/systemd/system -type f | sort | xargs sha256sum
cat /etc/hosts
ip -oneline address show | sed 's/valid_lft.*//'
nft -s list ruleset | sed 's/packets [0-9]* bytes [0-9]*//'
systemctl is-active kubelet hairpin-agent hairpin-steerer hairpin-haproxy hairpin-keepalived containerd
for name in kube-apiserver etcd; do ps -o stat= -C $name | cut -c 1; done
df --output=avail /var/lib/etcd | tail -n 1 | grep -qx ' *0' && echo full || echo free`;

const state = (machine: string) => sh(machine, stateScript);

const pods = { kill: 'systemd-run --quiet --collect --unit=fake-$1 /usr/local/bin/$1 infinity' };
const dial = (host: string, port: number) =>
  `timeout 1 bash -c ': </dev/tcp/${host}/${port}' 2>/dev/null; case $? in 0) echo open ;; 124) echo silent ;; *) echo refused ;; esac`;
const ping = (host: string) => `ping -c 1 -W 1 ${host} >/dev/null && echo answers || echo silent`;
const m1 = '172.16.104.54';
const m2 = '172.16.104.55';

interface Row {
  readonly fault: string;
  readonly on?: string;
  /** What is seen while it is in force: `[machine, script, before and after, while]`. */
  readonly seen: readonly (readonly [string, string, string, string])[];
  /** What a kubelet would do once the fault is healed. */
  readonly again?: string;
}

const rows: readonly Row[] = [
  {
    fault: 'apiserver-killed',
    seen: [
      ['m1', 'pgrep -cx kube-apiserver || :', '1', '0'],
      ['m1', 'ls /etc/kubernetes/manifests', 'etcd.yaml\nkube-apiserver.yaml', 'etcd.yaml'],
    ],
    again: pods.kill.replaceAll('$1', 'kube-apiserver'),
  },
  { fault: 'etcd-frozen', seen: [['m1', 'ps -o stat= -C etcd | cut -c 1', 'S', 'T']] },
  {
    fault: 'apiserver-slow',
    seen: [
      [
        'm1',
        `for i in $(seq 40); do ps -o stat= -C kube-apiserver | cut -c 1; sleep 0.05; done | sort | uniq | tr -d '\\n'`,
        'S',
        'ST',
      ],
    ],
  },
  {
    fault: 'agent-killed',
    seen: [
      [
        'm1',
        'sleep 1; systemctl is-active hairpin-agent hairpin-steerer hairpin-haproxy || :',
        'active\nactive\nactive',
        'failed\nfailed\nactive',
      ],
    ],
  },
  { fault: 'kubelet-stopped', seen: [['m1', 'sleep 1; systemctl is-active kubelet || :', 'active', 'failed']] },
  {
    fault: 'haproxy-frozen',
    seen: [
      ['m1', 'ps -o stat= "$(systemctl show -P MainPID hairpin-haproxy)" | cut -c 1', 'S', 'T'],
      ['m1', 'ps -o stat= "$(systemctl show -P MainPID hairpin-keepalived)" | cut -c 1', 'S', 'S'],
    ],
  },
  {
    fault: 'cut-from-peers',
    seen: [
      ['m1', ping(m2), 'answers', 'silent'],
      ['m2', ping(m1), 'answers', 'silent'],
      ['w1', ping(m1), 'answers', 'answers'],
    ],
  },
  {
    fault: 'cut-from-balancer',
    seen: [
      ['c1', dial(m1, 6443), 'refused', 'silent'],
      ['w1', dial(m1, 6443), 'refused', 'refused'],
      ['c1', dial(m2, 6443), 'refused', 'refused'],
    ],
  },
  {
    fault: 'apiserver-without-etcd',
    seen: [
      ['m1', dial('127.0.0.1', 2379), 'refused', 'silent'],
      ['m2', dial(m1, 2380), 'refused', 'refused'],
    ],
  },
  {
    fault: 'node-silent',
    seen: [
      ['w1', ping(m1), 'answers', 'silent'],
      ['w1', dial(m1, 6443), 'refused', 'silent'],
      ['m1', ping(m2), 'answers', 'silent'],
      ['m1', 'systemctl list-timers --no-legend | grep -c hairpin-drill-silent || :', '0', '1'],
    ],
  },
  {
    fault: 'rules-flushed',
    seen: [['m1', 'nft list ruleset | grep -c -e masquerade -e "table inet ours" || :', '2', '0']],
  },
  {
    fault: 'vip-taken',
    on: 'w1',
    seen: [['w1', 'ip -oneline address show to 172.16.105.26 | wc -l', '0', '1']],
  },
  {
    fault: 'etcd-disk-full',
    seen: [
      ['m1', 'echo x >/var/lib/etcd/x 2>/dev/null && rm /var/lib/etcd/x && echo room || echo full', 'room', 'full'],
    ],
  },
];

describe('faults of real nodes, by ssh', () => {
  test.each(rows)(
    '$fault is seen while it is in force, and healed by name, once or twice',
    async ({ fault, on, ...row }) => {
      const target = on ?? 'm1';
      const doing = faults.get(fault);
      if (doing === undefined) throw new Error(`the site has no ${fault}`);
      const before = await state(target);
      // Healing what is not broken does no harm.
      await doing.heal(target);
      expect(await state(target)).toBe(before);
      const look = async () => await Promise.all(row.seen.map(([machine, script]) => sh(machine, script)));
      expect(await look()).toEqual(row.seen.map(([, , well]) => well));
      await doing.inject(target, new AbortController().signal);
      try {
        expect(await look()).toEqual(row.seen.map(([, , , broken]) => broken));
      } finally {
        await doing.heal(target);
      }
      if (row.again !== undefined) await sh(target, row.again);
      expect(await look()).toEqual(row.seen.map(([, , well]) => well));
      await doing.heal(target);
      expect(await state(target)).toBe(before);
    },
  );

  test('hosts-edited: the name is where nobody is, before everything else, until it is healed', async () => {
    const { spec, nodes } = session;
    const domain = 'api.example.internal';
    const endpoint = { kind: 'domain', host: domain, domain, addresses: [], port: 6443 } as const;
    const edited = networkFaults.find((fault) => fault.name === 'hosts-edited');
    if (edited === undefined) throw new Error('there is no hosts-edited');
    const fault = faultOfNodes({ spec: { ...spec, endpoint }, nodes, strategy: 'hosts' }, edited);
    await sh('m1', `echo '${m2} ${domain}' >>/etc/hosts`);
    const before = await state('m1');
    await fault.inject('m1', new AbortController().signal);
    await fault.inject('m1', new AbortController().signal);
    expect(await sh('m1', `getent hosts ${domain} | head -n 1 | cut -d ' ' -f 1`)).toBe('203.0.113.1');
    await fault.heal('m1');
    await fault.heal('m1');
    expect(await sh('m1', `getent hosts ${domain} | cut -d ' ' -f 1`)).toBe(m2);
    expect(await state('m1')).toBe(before);
  });

  test('etcd-leader-killed finds the leader by its metrics', async () => {
    const metrics = (leads: 0 | 1) =>
      `printf 'HTTP/1.0 200 OK\\r\\n\\r\\netcd_server_is_leader ${leads}\\n' >/tmp/metrics
systemd-run --quiet --collect --unit=fake-metrics socat TCP-LISTEN:2381,bind=127.0.0.1,fork,reuseaddr 'SYSTEM:cat /tmp/metrics'`;
    await sh('m1', metrics(0));
    await sh('m2', metrics(1));
    const before = [await state('m1'), await state('m2')];
    await faults.get('etcd-leader-killed')?.inject('cluster', new AbortController().signal);
    expect([await sh('m1', 'pgrep -cx etcd || :'), await sh('m2', 'pgrep -cx etcd || :')]).toEqual(['1', '0']);
    await faults.get('etcd-leader-killed')?.heal('cluster');
    await sh('m2', pods.kill.replaceAll('$1', 'etcd'));
    expect([await state('m1'), await state('m2')]).toEqual(before);
  });

  test('node-rebooted is in force when this boot is over, and healed when the kubelet of the next one runs', async () => {
    const boot = 'cat /proc/sys/kernel/random/boot_id';
    const before = await sh('w1', boot);
    await faults.get('node-rebooted')?.inject('w1', new AbortController().signal);
    await faults.get('node-rebooted')?.heal('w1');
    expect(await sh('w1', boot)).not.toBe(before);
    expect(await sh('w1', 'systemctl is-active kubelet')).toBe('active');
  }, 120_000);
});
