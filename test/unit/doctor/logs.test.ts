import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { diagnoseLogs } from '../../../src/cluster-doctor.ts';
import { parseLog } from '../../../src/doctor/logs/parse.ts';

const fixtures = join(import.meta.dirname, '../../fixtures');
const runs = join(fixtures, 'kubeadm-runs');

const brief = async (...paths: string[]) => {
  const { findings } = await diagnoseLogs(paths);
  return findings.map(({ cause, confidence, nodes, seen }) => ({
    cause,
    confidence,
    nodes,
    seen: seen.map(({ where }) => where.replace(`${fixtures}/`, '')),
  }));
};

describe('logs as they were captured', () => {
  test("the article's own lines: hairpinning is likely, not certain", async () => {
    expect(await brief(join(fixtures, 'article'))).toEqual([
      {
        cause: 'endpoint-hairpins',
        confidence: 'likely',
        nodes: [],
        seen: ['article/kubelet.txt:2', 'article/kubeadm-init.txt:3'],
      },
    ]);
    expect(await brief(join(fixtures, 'article/kubeadm-init.txt'))).toMatchObject([
      { cause: 'endpoint-hairpins', confidence: 'possible' },
    ]);
  });

  test('v1.34.4 stops in upload-config', async () => {
    expect(await brief(join(runs, 'v1.34.4-drop'))).toEqual([
      {
        cause: 'endpoint-hairpins',
        confidence: 'likely',
        nodes: [],
        seen: [
          'kubeadm-runs/v1.34.4-drop/kubeadm-init.txt:49',
          'kubeadm-runs/v1.34.4-drop/after-init/kubeadm-token-create.txt:2',
        ],
      },
    ]);
  });

  test('v1.37.2 reports success, and kube-proxy waits for ever', async () => {
    expect(await brief(join(runs, 'v1.37.2-drop/after-init/m1/kube-proxy.log'))).toMatchObject([
      { cause: 'endpoint-hairpins', confidence: 'likely' },
    ]);
    expect(await brief(join(runs, 'v1.37.2-drop/after-joins'))).toEqual([
      {
        cause: 'endpoint-hairpins',
        confidence: 'likely',
        nodes: ['m1', 'm2'],
        seen: [
          'kubeadm-runs/v1.37.2-drop/after-joins/m1/kube-proxy.log:1',
          'kubeadm-runs/v1.37.2-drop/after-joins/m2/kube-proxy.log:1',
        ],
      },
    ]);
  });

  // Refusals and failed lists of a start are in all of them; what was waited for has come.
  test.each([
    'after-init/m1/kubelet.journal.txt',
    'after-init/m1/kube-apiserver.log',
    'after-init/m1/etcd.log',
    'after-joins/m2/kubelet.journal.txt',
    'after-joins/m3',
    'after-joins/w1',
    'kubeadm-init.txt',
    'kubeadm-join-m2.txt',
    'kubeadm-join-w1.txt',
  ])('a log of what went well gets a clean bill: %s', async (path) => {
    expect(await brief(join(runs, 'v1.37.2-drop', path))).toEqual([]);
  });
});

describe('parseLog()', () => {
  const line = 'E1127 10:00:00.000000  1 kubelet.go:1] "Failed"';

  test.each([
    ['short', `Nov 27 10:00:00 m1 kubelet[141]: ${line}`, undefined],
    ['short-precise', `Nov 27 10:00:00.123456 m1 kubelet[141]: ${line}`, undefined],
    ['short-iso', `2026-11-27T10:00:00+0000 m1 kubelet[141]: ${line}`, '2026-11-27T10:00:00.000Z'],
    ['short-iso-precise', `2026-11-27T12:00:00.123456+02:00 m1 kubelet[141]: ${line}`, '2026-11-27T10:00:00.123Z'],
    [
      'json',
      JSON.stringify({
        __REALTIME_TIMESTAMP: '1795773600123456',
        _HOSTNAME: 'm1',
        SYSLOG_IDENTIFIER: 'kubelet',
        MESSAGE: line,
      }),
      '2026-11-27T10:00:00.123Z',
    ],
  ])('journalctl, %s', (_form, text, at) => {
    expect(parseLog(text, { source: 'a' })).toEqual([
      {
        source: 'a',
        line: 1,
        at: at === undefined ? undefined : expect.closeTo(Date.parse(at), 0),
        node: 'm1',
        component: 'kubelet',
        text: line,
      },
    ]);
  });

  test('journalctl, export: the line is that of the message', () => {
    const text = [
      '__CURSOR=s=1',
      '__REALTIME_TIMESTAMP=1795773600123456',
      '_HOSTNAME=m2',
      'SYSLOG_IDENTIFIER=kubelet',
      'MESSAGE=one',
      '',
      '__REALTIME_TIMESTAMP=1795773601000000',
      '_HOSTNAME=m2',
      'MESSAGE=two=2',
      'SYSLOG_IDENTIFIER=containerd',
      '',
    ].join('\n');
    expect(
      parseLog(text, { source: 'a' }).map(({ line: n, node, component, text: said }) => [n, node, component, said]),
    ).toEqual([
      [5, 'm2', 'kubelet', 'one'],
      [9, 'm2', 'containerd', 'two=2'],
    ]);
  });

  test('containers: CRI, docker, etcd, klog by the name of the file', () => {
    const cri = '2026-11-27T10:00:00.123456789+00:00 stderr F I1127 10:00:00.0 1 shared_informer.go:1] "x"';
    expect(parseLog(cri, { source: '/var/log/pods/kube-system_kube-proxy-x2p_1-2/kube-proxy/0.log' })).toMatchObject([
      {
        component: 'kube-proxy',
        at: Date.parse('2026-11-27T10:00:00.123Z'),
        text: 'I1127 10:00:00.0 1 shared_informer.go:1] "x"',
      },
    ]);
    const docker = '{"log":"said\\n","stream":"stderr","time":"2026-11-27T10:00:00.1Z"}';
    expect(parseLog(docker, { source: 'kube-apiserver.log' })).toMatchObject([
      { component: 'kube-apiserver', text: 'said', at: Date.parse('2026-11-27T10:00:00.1Z') },
    ]);
    const etcd = '{"level":"warn","ts":"2026-11-27T10:00:00.1Z","caller":"a.go:1","msg":"slow"}';
    expect(parseLog(etcd, { source: '0.log' })).toMatchObject([{ component: 'etcd', text: etcd }]);
  });

  test('a folder of any name says nothing about who wrote a file in it', () => {
    const text = 'error: error execution phase preflight: x\n';
    expect(parseLog(text, { source: '/tmp/hairpin-etcd/kernel-things/what.txt' })[0]?.component).toBe('kubeadm');
  });

  test('quotes of an article are quotes, and what goes on in the next line is of the same program', () => {
    const text = 'Nov 27 10:00:00 m1 kubelet[1]: a “b”\n   and more\nno log at all\n\n';
    expect(parseLog(text, { source: 'x' }).map(({ component, text: said, line: n }) => [n, component, said])).toEqual([
      [1, 'kubelet', 'a "b"'],
      [2, 'kubelet', '   and more'],
      [3, 'unknown', 'no log at all'],
    ]);
  });
});

describe('files', () => {
  test('gzip is unpacked, a missing file is said, a broken one too', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hairpin-doctor-'));
    try {
      const text = 'I1123 22:26:13.804141       1 shared_informer.go:524] "Waiting for caches to sync"\n';
      await writeFile(join(dir, 'kube-proxy.log.gz'), gzipSync(text));
      expect((await diagnoseLogs([join(dir, 'kube-proxy.log.gz')])).findings).toMatchObject([
        { cause: 'endpoint-hairpins' },
      ]);
      await expect(diagnoseLogs([join(dir, 'none')])).rejects.toMatchObject({ code: 'FILE_MISSING' });
      await writeFile(join(dir, 'broken.gz'), gzipSync(text).subarray(0, 20));
      await expect(diagnoseLogs([join(dir, 'broken.gz')])).rejects.toMatchObject({ code: 'FILE_DAMAGED' });
    } finally {
      await rm(dir, { recursive: true });
    }
  });
});
