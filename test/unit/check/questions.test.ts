import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { etcdVoters, kubeProxySynced, nodesReady } from '../../../src/check/ask/holds.ts';
import { askOnce, type Question } from '../../../src/check/ask/question.ts';
import { waitUntil } from '../../../src/check/ask/wait.ts';
import { LocalNode } from '../../../src/node/local.ts';
import type { Spec, SpecNode } from '../../../src/spec/spec.ts';
import { address } from '../../../src/std/address.ts';

// The questions are sh; they are asked of this machine, with stand-ins for the programs that they call first on PATH.
let bin = '';
beforeAll(() => {
  bin = mkdtempSync(join(tmpdir(), 'hairpin-questions-'));
});
afterAll(() => rmSync(bin, { recursive: true, force: true }));

const signal = new AbortController().signal;
const node = () => new LocalNode('m1', ['env', `PATH=${bin}:/usr/bin:/bin`]);

function program(name: string, script: string): void {
  mkdirSync(bin, { recursive: true });
  writeFileSync(join(bin, name), `#!/bin/sh\n${script}\n`);
  chmodSync(join(bin, name), 0o755);
}

const ask = (question: Question) => askOnce(node(), question, { signal });
const spec = { apiServerPort: 6443 } as Spec;
const m1 = { name: 'm1', address: address('172.16.104.54') } as SpecNode;

describe('kubeProxySynced', () => {
  const family = (name: string, family: string, time: string) =>
    `kubeproxy_sync_proxy_rules_${name}_timestamp_seconds{ip_family="${family}"} ${time}`;
  const both = [family('last_queued', 'IPv4', '1.7e+09'), family('last_queued', 'IPv6', '1.7e+09')];
  test.each([
    {
      name: 'ok when every family that was queued was written',
      metrics: [...both, family('last', 'IPv4', '1.7e+09'), family('last', 'IPv6', '1.7e+09')],
      healthz: '200',
      verdict: { is: 'ok' },
    },
    {
      name: 'not ok when one family was never written, though /healthz says 200',
      metrics: [...both, family('last', 'IPv6', '1.7e+09')],
      healthz: '200',
      verdict: {
        is: 'not-ok',
        want: 'kube-proxy has written its rules',
        saw: 'kube-proxy has synced {ip_family="IPv6"} and not all of {ip_family="IPv4"} {ip_family="IPv6"}',
      },
    },
    {
      name: 'not ok when it waits for its first answer from the apiserver',
      metrics: ['kubeproxy_sync_proxy_rules_last_timestamp_seconds 0'],
      healthz: '200',
      verdict: {
        is: 'not-ok',
        want: 'kube-proxy has written its rules',
        saw: 'kube-proxy runs and has not synced yet',
      },
    },
    {
      name: 'not ok when its last rules could not be written',
      metrics: ['kubeproxy_sync_proxy_rules_last_timestamp_seconds 1.7e+09'],
      healthz: '503',
      verdict: {
        is: 'not-ok',
        want: 'kube-proxy has written its rules',
        saw: 'kube-proxy could not write its last rules (/healthz on 10256 says 503)',
      },
    },
    {
      name: 'ok with the metric without a family, as old versions have it',
      metrics: ['kubeproxy_sync_proxy_rules_last_timestamp_seconds 1.7e+09'],
      healthz: '200',
      verdict: { is: 'ok' },
    },
  ])('$name', async ({ metrics, healthz, verdict }) => {
    program(
      'curl',
      `for url; do :; done\ncase $url in */metrics) cat <<'END'\n${metrics.join('\n')}\nEND\n;; *) printf ${healthz} ;; esac`,
    );
    expect(await ask(kubeProxySynced)).toEqual(verdict);
  });
});

describe('etcdVoters()', () => {
  const line = (name: string, learner: boolean) => `1a, started, ${name}, https://x:2380, https://x:2379, ${learner}`;
  test.each([
    { name: 'three voters', lines: [line('m1', false), line('m2', false), line('m3', false)], saw: undefined },
    {
      name: 'a learner is no voter',
      lines: [line('m1', false), line('m2', false), line('m3', true)],
      saw: '3 members, 2 of them started voters',
    },
    {
      name: 'a member that never started is none either',
      lines: [line('m1', false), line('m2', false), '2b, unstarted, , https://x:2380, , true'],
      saw: '3 members, 2 of them started voters',
    },
  ])('etcdctl: $name', async ({ lines, saw }) => {
    // etcdctl 3.7 warns on standard error about a variable that 3.3 needs.
    program('etcdctl', `echo 'WARNING: unrecognized environment variable' >&2\ncat <<'END'\n${lines.join('\n')}\nEND`);
    const verdict = await ask(etcdVoters(m1, 3));
    expect(verdict).toEqual(
      saw === undefined ? { is: 'ok' } : { is: 'not-ok', want: '3 etcd members, each a started voter', saw },
    );
  });

  test('curl, where there is no etcdctl', async () => {
    rmSync(join(bin, 'etcdctl'), { force: true });
    const members = ['"name":"m1"', '"name":"m2"', '"isLearner":true'].map((rest, i) => `{"ID":"${i}",${rest}}`);
    program('curl', `printf '%s' '{"header":{},"members":[${members.join(',')}]}'`);
    expect(await askOnce(new LocalNode('m1', ['env', `PATH=${bin}:/bin`]), etcdVoters(m1, 3), { signal })).toEqual({
      is: 'not-ok',
      want: '3 etcd members, each a started voter',
      saw: '3 members, 2 of them started voters',
    });
  });
});

test('nodesReady() names who is not', async () => {
  program('kubectl', "printf 'm1=True\\nm2=False\\nw1=Unknown\\n'");
  expect(await ask(nodesReady(spec, m1, ['m1', 'm2', 'w1', 'w2']))).toEqual({
    is: 'not-ok',
    want: 'm1, m2, w1, w2 Ready',
    saw: 'not Ready: m2 w1 w2',
  });
});

describe('waitUntil()', () => {
  test('returns as soon as it is so, and tells what it saw on the way', async () => {
    const file = join(bin, 'count');
    writeFileSync(file, '');
    const seen: string[] = [];
    const question = {
      want: 'three',
      script: `echo x >>"$1"; n=$(grep -c x "$1"); [ "$n" -ge 3 ] || { echo "saw $n"; exit 1; }`,
      args: [file],
    };
    await waitUntil(node(), question, { deadlineMs: 10_000, signal, onSeen: (saw) => seen.push(saw) });
    expect(seen).toEqual(['saw 1', 'saw 2']);
  });

  test('says what was wanted and what was last seen when the time is over', async () => {
    const question = { want: 'the moon', script: 'echo clouds; exit 1', args: [] };
    await expect(waitUntil(node(), question, { deadlineMs: 700, signal })).rejects.toMatchObject({
      code: 'HOLD_TIMEOUT',
      message: 'Waited 700 ms on m1 for nothing',
      cause: 'want: the moon\nsaw:  clouds',
    });
  });

  test('ends at once when it is stopped', async () => {
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 300);
    const start = performance.now();
    const question = { want: 'never', script: 'exit 1', args: [] };
    await expect(waitUntil(node(), question, { deadlineMs: 60_000, signal: stop.signal })).rejects.toThrow('enough');
    expect(performance.now() - start).toBeLessThan(5000);
  });
});
