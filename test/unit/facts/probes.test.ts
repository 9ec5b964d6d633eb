import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { emptyAsk } from '../../../src/facts/probe.ts';
import { probes } from '../../../src/facts/probes/index.ts';
import { kubeadmPhase } from '../../../src/facts/probes/kubeadm.ts';
import { versionIn } from '../../../src/facts/probes/tools.ts';
import { factsScript, parseFacts } from '../../../src/facts/script.ts';
import { address } from '../../../src/std/address.ts';

describe('kubeadmPhase()', () => {
  const pki = ['ca.crt', 'ca.key', 'apiserver.crt', 'etcd/ca.crt'].map((name) => `/etc/kubernetes/pki/${name}`);
  const manifests = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler', 'etcd'].map(
    (name) => `/etc/kubernetes/manifests/${name}.yaml`,
  );
  const configs = ['admin.conf', 'kubelet.conf', 'controller-manager.conf', 'scheduler.conf'].map(
    (name) => `/etc/kubernetes/${name}`,
  );
  const kubelet = ['/var/lib/kubelet/config.yaml', '/var/lib/kubelet/kubeadm-flags.env'];
  const joined = ['/etc/kubernetes/kubelet.conf', '/var/lib/kubelet/pki/kubelet-client-current.pem'];
  const client = '/var/lib/kubelet/pki/kubelet-client-current.pem';

  test.each([
    { name: 'a bare node', files: [], etcd: false, phase: 'nothing' },
    {
      name: 'a whole master',
      files: [...pki, ...manifests, ...configs, ...kubelet, client],
      etcd: true,
      phase: 'control-plane',
    },
    { name: 'a worker', files: [pki[0], ...joined, ...kubelet], etcd: false, phase: 'worker' },
    { name: 'init killed after the certificates', files: pki, etcd: false, phase: 'half-init' },
    {
      name: 'init killed before the kubelet has its certificate',
      files: [...pki, ...manifests, ...configs, ...kubelet],
      etcd: true,
      phase: 'half-init',
    },
    {
      name: 'init killed before the scheduler’s manifest',
      files: [...pki, ...manifests.slice(0, 2), ...configs],
      etcd: false,
      phase: 'half-init',
    },
    { name: 'etcd data that a reset left', files: [], etcd: true, phase: 'half-init' },
    {
      name: 'a join killed while the kubelet waits for its certificate',
      files: [...pki, '/etc/kubernetes/bootstrap-kubelet.conf', ...kubelet],
      etcd: false,
      phase: 'half-join',
    },
    {
      name: 'a master’s join killed before its manifests',
      files: [...pki, ...configs, ...kubelet, client],
      etcd: false,
      phase: 'half-join',
    },
    { name: 'a worker’s join killed after the CA', files: [pki[0]], etcd: false, phase: 'half-join' },
  ])('$name is $phase', ({ files, etcd, phase }) => {
    expect(kubeadmPhase(new Set(files.filter((file) => file !== undefined)), etcd).phase).toBe(phase);
  });
});

describe('versionIn()', () => {
  test.each([
    ['v1.37.2', '1.37.2'],
    ['Kubernetes v1.38.0-rc.1', '1.38.0-rc.1'],
    ['containerd github.com/containerd/containerd/v2 v2.4.2 b3a1', '2.4.2'],
    ['nftables v1.0.6 (Lester Gooch #5)', '1.0.6'],
    ['iptables v1.8.9 (nf_tables)', '1.8.9'],
    ['ip utility, iproute2-6.1.0, libbpf 1.1.0', '6.1.0'],
    ['Keepalived v2.2.7 (01/16,2022)', '2.2.7'],
    ['HAProxy version 2.6.12-1+deb12u2 2025/04/30 - https://haproxy.org/', '2.6.12'],
    ['systemd 252 (252.38-1~deb12u1)', '252.38'],
    ['no version here', undefined],
  ])('%s', (text, version) => {
    expect(versionIn(text)).toBe(version);
  });
});

describe('parsers', () => {
  test('listening: families, devices and several programs on one socket', () => {
    const text = [
      'tcp   LISTEN 0      4096       127.0.0.53%lo:53         0.0.0.0:*    users:(("systemd-resolve",pid=412,fd=14))',
      'tcp   LISTEN 0      128              0.0.0.0:22         0.0.0.0:*    users:(("sshd",pid=71,fd=3),("systemd",pid=1,fd=50))',
      'tcp   LISTEN 0      4096                   *:6443             *:*    users:(("kube-apiserver",pid=900,fd=3))',
      'tcp   LISTEN 0      128                 [::]:22            [::]:*',
      'udp   UNCONN 0      0       [fe80::1]%eth0:546            [::]:*',
    ].join('\n');
    expect(probes.listening.parse(text, emptyAsk)).toEqual([
      { protocol: 'tcp', address: '127.0.0.53', port: 53, programs: ['systemd-resolve'], pids: [412] },
      { protocol: 'tcp', address: '0.0.0.0', port: 22, programs: ['sshd', 'systemd'], pids: [71, 1] },
      { protocol: 'tcp', address: '*', port: 6443, programs: ['kube-apiserver'], pids: [900] },
      { protocol: 'tcp', address: '::', port: 22, programs: [], pids: [] },
      { protocol: 'udp', address: 'fe80::1', port: 546, programs: [], pids: [] },
    ]);
  });

  test('endpointRoutes: an own address is local, no route is none', () => {
    const text = [
      '@172.16.105.26',
      '[{"type":"local","dst":"172.16.105.26","dev":"lo","table":"local","prefsrc":"172.16.105.26","flags":[],"uid":0,"cache":["local"]}]',
      '@10.9.9.9',
      '',
      '@fd00::10',
      '[{"dst":"fd00::10","gateway":"fe80::1","dev":"eth0","prefsrc":"fd00::2","metric":1024,"flags":[]}]',
      '@10.8.8.8',
      '[{"type":"blackhole","dst":"10.8.8.8","flags":[]}]',
    ].join('\n');
    expect(
      probes.endpointRoutes.parse(text, emptyAsk).map((route) => [route.address.text, route.is, route.device]),
    ).toEqual([
      ['172.16.105.26', 'local', 'lo'],
      ['10.9.9.9', 'none', undefined],
      ['fd00::10', 'unicast', 'eth0'],
      ['10.8.8.8', 'none', undefined],
    ]);
  });

  test('hosts: comments, several names, and the line of each', () => {
    const text = '127.0.0.1 localhost # me\n\n# 10.0.0.1 off\n10.0.0.2\tapi.example  api\n10.0.0.3\n';
    expect(probes.hosts.parse(text, emptyAsk)).toEqual({
      text,
      entries: [
        { address: '127.0.0.1', names: ['localhost'], line: 1 },
        { address: '10.0.0.2', names: ['api.example', 'api'], line: 4 },
      ],
    });
  });

  test('endpointLookup: each address once, and whether the hosts file has the name', () => {
    const text = [
      '@api.example',
      'files',
      '10.0.0.2        STREAM api.example',
      '10.0.0.2        DGRAM  ',
      'fd00::2         STREAM ',
      '@nowhere.example',
    ].join('\n');
    expect(probes.endpointLookup.parse(text, emptyAsk)).toEqual([
      { name: 'api.example', addresses: [address('10.0.0.2'), address('fd00::2')], fromHosts: true },
      { name: 'nowhere.example', addresses: [], fromHosts: false },
    ]);
  });

  test('units: one that reads its configuration again runs', () => {
    const text = ['active', 'reloading', 'activating', 'failed']
      .map((state) => `Id=${state}.service\nLoadState=loaded\nActiveState=${state}\nUnitFileState=enabled`)
      .join('\n\n');
    const units = probes.units.parse(`${text}\n\nId=none.service\nLoadState=not-found\nActiveState=inactive`, emptyAsk);
    expect(Object.entries(units).map(([name, { active }]) => `${name} ${active}`)).toEqual([
      'active.service active',
      'reloading.service active',
      'activating.service activating',
      'failed.service failed',
    ]);
  });

  test('etcd: the JSON gateway writes 64-bit numbers as text, etcdctl as numbers', () => {
    const members = (quote: string) =>
      `{"header":{"cluster_id":${quote}18446744073709551615${quote}},"members":[{"ID":${quote}18446744073709551557${quote},"name":"m1","peerURLs":["https://10.0.0.1:2380"],"clientURLs":[]}]}`;
    const expected = {
      clusterId: 'ffffffffffffffff',
      members: [
        { id: 'ffffffffffffffc5', name: 'm1', peerUrls: ['https://10.0.0.1:2380'], clientUrls: [], learner: false },
      ],
    };
    expect(probes.etcd.parse(members(''), emptyAsk)).toEqual(expected);
    expect(probes.etcd.parse(members('"'), emptyAsk)).toEqual(expected);
  });

  test('os: quoted values and another init', () => {
    const text =
      '@release\nNAME="Rocky Linux"\nID="rocky"\nID_LIKE="rhel centos fedora"\nVERSION_ID="9.4"\nPRETTY_NAME="Rocky Linux 9.4 (Blue Onyx)"\n\n@machine\naarch64\nnode-1.example\n8\nother\n';
    expect(probes.os.parse(text, emptyAsk)).toEqual({
      id: 'rocky',
      idLike: ['rhel', 'centos', 'fedora'],
      versionId: '9.4',
      prettyName: 'Rocky Linux 9.4 (Blue Onyx)',
      machine: 'aarch64',
      hostname: 'node-1.example',
      cpus: 8,
      systemd: false,
    });
  });

  test('text that no parser understands makes one fact unknown, not the others', () => {
    const text =
      '\x1ebegin listening\nnonsense\n\n\x1eend 0\n\x1ebegin swap\nFilename Type Size Used Priority\n\n\x1eend 0\n';
    const facts = parseFacts(text, emptyAsk);
    expect(facts.listening).toEqual({ is: 'unknown', reason: 'not understood: not a line of ss: nonsense' });
    expect(facts.swap).toEqual({ is: 'known', value: [] });
  });
});

test('the api probe leaves no cache of kubectl on the node', () => {
  const calls = probes.api
    .script(emptyAsk)
    .split('\n')
    .filter((line) => line.includes('kubectl --'));
  expect(calls).toHaveLength(1);
  expect(calls[0]).toContain(' --cache-dir /dev/null ');
});

describe('the script, in a real sh', () => {
  let bin: string;
  beforeEach(() => {
    bin = mkdtempSync(join(tmpdir(), 'hairpin-facts-'));
  });
  afterEach(() => rmSync(bin, { recursive: true, force: true }));

  const run = (script: string) =>
    execFileSync('sh', ['-c', script], {
      encoding: 'utf8',
      env: { ...process.env, PATH: `${bin}:${process.env.PATH}` },
    });
  const program = (name: string, output: string) => {
    mkdirSync(bin, { recursive: true });
    writeFileSync(join(bin, `${name}.out`), output);
    writeFileSync(join(bin, name), `#!/bin/sh\ncat ${join(bin, `${name}.out`)}\n`);
    chmodSync(join(bin, name), 0o755);
  };

  test('packetRules: rules and sets that name the address, and not longer addresses that contain it', () => {
    program(
      'nft',
      `table ip nat {
	chain PREROUTING {
		type nat hook prerouting priority dstnat; policy accept;
		ip daddr 10.0.0.1 tcp dport 6443 dnat to 10.0.0.11:6443
		ip daddr 10.0.0.11 accept
		ip daddr 110.0.0.1 accept
	}
	set vips {
		type ipv4_addr
		elements = { 10.0.0.1, 10.0.0.2 }
	}
}
table ip6 filter {
	chain INPUT {
		ip6 daddr fd00::1 drop
		ip6 daddr fd00::12 drop
	}
}
`,
    );
    const ask = { ...emptyAsk, endpointAddresses: [address('10.0.0.1'), address('fd00::1')] };
    expect(probes.packetRules.parse(run(probes.packetRules.script(ask)), ask).nft).toEqual([
      'ip nat PREROUTING: ip daddr 10.0.0.1 tcp dport 6443 dnat to 10.0.0.11:6443',
      'ip nat vips: elements = { 10.0.0.1, 10.0.0.2 }',
      'ip6 filter INPUT: ip6 daddr fd00::1 drop',
    ]);
  });

  test('files: hash, mode and owner of those that are there, whatever their names', () => {
    const odd = join(bin, `it's a "file" $HOME`);
    writeFileSync(odd, 'content', { mode: 0o640 });
    chmodSync(odd, 0o640);
    const ask = { ...emptyAsk, files: [odd, join(bin, 'nothing')] };
    const found = probes.files.parse(run(probes.files.script(ask)), ask);
    expect(found[odd]).toMatchObject({
      sha256: 'ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73',
      mode: '640',
      bytes: 7,
    });
    expect(Object.keys(found)).not.toContain(join(bin, 'nothing'));
  });

  test('every probe of this machine is understood, or unknown for a reason in words', () => {
    const facts = parseFacts(run(factsScript(emptyAsk)), emptyAsk);
    // dash reads files of /proc/sys a byte at a time and takes them for empty.
    expect(facts.sysctls).toMatchObject({
      is: 'known',
      value: { 'net.ipv4.ip_forward': expect.stringMatching(/^[01]$/) },
    });
    const reasons = Object.values(facts).flatMap((fact) => (fact.is === 'unknown' ? [fact.reason] : []));
    expect(reasons.filter((reason) => reason.startsWith('not understood') || reason.includes('did not get'))).toEqual(
      [],
    );
  });
});
