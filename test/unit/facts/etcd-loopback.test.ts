import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { emptyAsk } from '../../../src/facts/probe.ts';
import { etcd } from '../../../src/facts/probes/etcd.ts';

// With IPv6 alone kubeadm's etcd listens on [::1], and nobody answered at 127.0.0.1: the cluster's members were unknown.
test.each([
  ['127.0.0.1', 'LISTEN 0 4096 127.0.0.1:2379 0.0.0.0:*\nLISTEN 0 4096 172.16.104.54:2379 0.0.0.0:*'],
  ['[::1]', 'LISTEN 0 4096 [fd00:172:16:104::54]:2379 [::]:*\nLISTEN 0 4096 [::1]:2379 [::]:*'],
])('etcd is asked on %s where it listens there', async (host, listening) => {
  const dir = await mkdtemp(join(tmpdir(), 'hairpin-etcd-'));
  try {
    const stand = async (name: string, text: string) => {
      await writeFile(join(dir, name), `#!/bin/sh\n${text}\n`);
      await chmod(join(dir, name), 0o755);
    };
    await stand('ss', `cat <<'X'\n${listening}\nX`);
    await stand('etcdctl', 'exit 1');
    await stand('curl', 'for last in "$@"; do :; done; echo "$last"');
    const pki = join(dir, 'pki');
    await mkdir(pki);
    for (const name of ['ca.crt', 'healthcheck-client.crt']) await writeFile(join(pki, name), '');
    const script = etcd.script(emptyAsk).replace('pki=/etc/kubernetes/pki/etcd', `pki=${pki}`);
    const { stdout } = await execa({ env: { PATH: `${dir}:${process.env.PATH}` } })`sh -c ${script}`;
    expect(stdout).toBe(`https://${host}:2379/v3/cluster/member/list`);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
