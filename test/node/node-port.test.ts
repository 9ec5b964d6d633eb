import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withFault } from '../../src/lab/faults/break.ts';
import { type Lab, startLab } from '../../src/lab/runtime/start-lab.ts';
import { balancerCatalog } from '../../src/lab/spec/catalog.ts';
import { resolveLab } from '../../src/lab/spec/resolve.ts';
import { OpensshNode } from '../../src/node/openssh.ts';

// What needs a machine of its own: the real sudo with a real password, a file system that is full, a line that goes dead.
let lab: Lab;
let dir = '';
const open: OpensshNode[] = [];
const password = 'correct horse $battery "staple"';

beforeAll(async () => {
  const input = { name: 'prb-port', tier: 'node', masters: 1, workers: 0, clients: 0, balancer: 'drop' } as const;
  const resolved = resolveLab(input, balancerCatalog());
  if (!resolved.ok) throw new Error(JSON.stringify(resolved.problems));
  lab = await startLab(resolved.spec);
  dir = await mkdtemp(join(tmpdir(), 'hpn-'));
  // The lab's own users: `ops` may sudo without a password, `admin` with one; `guest` may not.
  const script = `set -e
useradd -m -s /bin/bash guest
chpasswd
mkdir -p /mnt/small && mount -t tmpfs -o size=64k tmpfs /mnt/small`;
  const made = await lab.exec('m1', ['sh', '-c', script], { stdin: `admin:${password}\n` });
  if (made.exitCode !== 0) throw new Error(made.stderr);
});

afterAll(async () => {
  await Promise.all(open.map((node) => node[Symbol.asyncDispose]()));
  if (dir !== '') await rm(dir, { recursive: true, force: true });
  await lab?.[Symbol.asyncDispose]();
});

function connect(user: string, sudoPassword?: string): OpensshNode {
  const node = new OpensshNode(
    { name: 'm1', address: '172.16.104.54', configFile: lab.cx.paths.sshConfig, user },
    { socketDir: dir, ...(sudoPassword === undefined ? {} : { sudoPassword }) },
  );
  open.push(node);
  return node;
}

const incidents = async () =>
  (await lab.exec('m1', ['sh', '-c', 'journalctl -q -t sudo | grep -c "incorrect password" || :'])).stdout.trim();

test('a user with a password becomes root, and standard input arrives whole', async () => {
  const node = connect('admin', password);
  const result = await node.probe(['sh', '-c', 'id -un; cat'], { stdin: 'one\n\ntwo' });
  expect({ stdout: result.stdout, stderr: result.stderr, exitCode: result.exitCode }).toEqual({
    stdout: 'root\none\n\ntwo',
    stderr: '',
    exitCode: 0,
  });
});

test('a user who needs no password gets none asked for, whether one was given or not', async () => {
  for (const given of [undefined, password]) {
    const result = await connect('ops', given).probe(['sh', '-c', 'id -un; cat'], { stdin: 'input' });
    expect(result.stdout).toBe('root\ninput');
  }
});

test('files of root are written and read through sudo', async () => {
  const node = connect('admin', password);
  const content = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256));
  expect(await node.writeFile({ path: '/etc/hairpin/secret', content, mode: 0o600 })).toEqual({
    changed: true,
    backup: undefined,
  });
  const [stat, sum] = (
    await node.probe(['sh', '-c', 'stat -c "%a %U:%G" /etc/hairpin/secret; sha256sum </etc/hairpin/secret'])
  ).stdout.split('\n');
  expect(stat).toBe('600 root:root');
  expect(sum?.slice(0, 64)).toBe(createHash('sha256').update(content).digest('hex'));
  expect(await node.readFile('/etc/shadow')).toContain('admin:');
});

test('a wrong password is its own error, and was tried exactly once', async () => {
  const before = Number(await incidents());
  await expect(connect('admin', 'wrong').probe(['true'])).rejects.toMatchObject({
    code: 'NODE_SUDO',
    message: 'The sudo password is wrong for admin on node m1',
  });
  expect(Number(await incidents())).toBe(before + 1);
});

test('no password where one is wanted, and a user whom sudo does not know', async () => {
  await expect(connect('admin').probe(['true'])).rejects.toMatchObject({
    code: 'NODE_SUDO',
    message: 'sudo wants a password for admin on node m1',
  });
  await expect(connect('guest', password).probe(['true'])).rejects.toMatchObject({ code: 'NODE_SUDO' });
});

test('a full file system: the file that was there is as it was, and nothing half-written stays', async () => {
  const node = connect('root');
  await node.writeFile({ path: '/mnt/small/hosts', content: 'small\n', mode: 0o644 });
  await expect(
    node.writeFile({ path: '/mnt/small/hosts', content: 'x'.repeat(200_000), mode: 0o644 }),
  ).rejects.toMatchObject({ code: 'NODE_DISK_FULL', message: 'Cannot write /mnt/small/hosts on m1: its disk is full' });
  expect(await node.readFile('/mnt/small/hosts')).toBe('small\n');
  expect((await node.probe(['ls', '-A', '/mnt/small'])).stdout).toBe('hosts\n');
});

test('a line that goes dead while a command runs is found out, and said to be that', async () => {
  const node = connect('root');
  await node.probe(['true']);
  let fault: Promise<AsyncDisposable> | undefined;
  const run = node.change(['sh', '-c', 'echo started; sleep 60'], {
    onLine: () => {
      fault ??= withFault(lab, { fault: 'silent', target: 'm1' });
    },
  });
  await expect(run).rejects.toMatchObject({ code: 'NODE_CONNECTION_LOST' });
  await (await fault)?.[Symbol.asyncDispose]();
  expect((await node.probe(['echo', 'again'])).stdout).toBe('again\n');
}, 90_000);

test('no secret was in an argument list or in the journal of the node', async () => {
  const all = await lab.exec('m1', ['sh', '-c', 'journalctl -q --no-pager; cat /proc/[0-9]*/cmdline | tr "\\0" " "']);
  expect(all.stdout).not.toContain('correct horse');
  expect(await readFile(lab.cx.paths.sshConfig, 'utf8')).not.toContain('correct horse');
});
