import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { OpensshNode, type OpensshOptions } from '../../../src/node/openssh.ts';
import type { SshTarget } from '../../../src/node/ssh-config.ts';
import { sshdInstalled, startSshd, type TestSshd } from '../../support/sshd.ts';

describe.skipIf(!sshdInstalled)('OpensshNode against a real sshd', () => {
  let sshd: TestSshd;
  let dir: string;
  let node: OpensshNode;
  const open: OpensshNode[] = [];

  const connect = (target: Partial<SshTarget> = {}, options: Partial<OpensshOptions> = {}) => {
    const made = new OpensshNode(
      { name: 't1', address: '127.0.0.1', configFile: sshd.configFile, connectTimeout: 3000, ...target },
      { socketDir: dir, manifest: join(sshd.dir, 'written'), ...options },
    );
    open.push(made);
    return made;
  };

  beforeAll(async () => {
    sshd = await startSshd();
    dir = mkdtempSync(join(tmpdir(), 'hpn-'));
    node = connect();
  });

  afterAll(async () => {
    await Promise.all(open.map((one) => one[Symbol.asyncDispose]()));
    sshd[Symbol.dispose]();
    rmSync(dir, { recursive: true, force: true });
  });

  test('gives standard output, standard error and the exit code exactly', async () => {
    const { ms: _, ...result } = await node.probe(['sh', '-c', 'echo out; echo err >&2; printf rest >&2; exit 7']);
    expect(result).toEqual({
      argv: ['sh', '-c', 'echo out; echo err >&2; printf rest >&2; exit 7'],
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'err\nrest',
    });
  });

  test.each([0, 1, 127, 254, 255])('exit code %i of the command is a result', async (code) => {
    expect((await node.probe(['sh', '-c', `exit ${code}`])).exitCode).toBe(code);
  });

  test('a program that is not there gives 127, as in any shell', async () => {
    const result = await node.probe(['no-such-program']);
    expect(result.exitCode).toBe(127);
    expect(result.stderr).toContain('not found');
  });

  test('argv arrives as it was given, whatever characters it has', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.string({ unit: 'binary', maxLength: 40 }).map((s) => s.replaceAll('\0', '')),
          { maxLength: 6 },
        ),
        async (args) => {
          const result = await node.probe(['sh', '-c', 'for a; do printf "%s\\0" "$a"; done', 'sh', ...args]);
          // Lone surrogates have no UTF-8 form.
          expect(result.stdout.split('\0').slice(0, -1)).toEqual(args.map((a) => Buffer.from(a).toString()));
        },
      ),
      { numRuns: 20 },
    ));

  test('standard input and environment reach the command', async () => {
    const result = await node.probe(['sh', '-c', 'cat; printf %s "$GREETING"'], {
      stdin: 'a\0b\n',
      env: { GREETING: `it's "so"` },
    });
    expect(result.stdout).toBe(`a\0b\nit's "so"`);
  });

  test('a command can be talked to while it runs, and ends when its input does', async () => {
    const input = new PassThrough();
    const said: string[] = [];
    const ended = node.change(['sh', '-c', 'while read -r line; do echo "heard $line"; done; echo end'], {
      input,
      onLine: (_, line) => {
        said.push(line);
        if (line === 'heard 1') input.end('2\n');
      },
    });
    input.write('1\n');
    expect((await ended).exitCode).toBe(0);
    expect(said).toEqual(['heard 1', 'heard 2', 'end']);
  });

  test('lines are told as they come, without marks', async () => {
    const lines: string[] = [];
    const at: number[] = [];
    await node.probe(['sh', '-c', 'echo one; sleep 0.5; echo two >&2; printf three >&2'], {
      onLine: (stream, line) => {
        lines.push(`${stream} ${line}`);
        at.push(performance.now());
      },
    });
    expect(lines).toEqual(['stdout one', 'stderr two', 'stderr three']);
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(300);
  });

  test('twenty commands at once share one connection', async () => {
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => node.probe(['sh', '-c', `echo ${i} $SSH_CONNECTION`])),
    );
    expect(results.map((r) => r.stdout.split(' ')[0])).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    expect(new Set(results.map((r) => r.stdout.split(' ').slice(1).join(' '))).size).toBe(1);
  });

  test('a timeout ends the command on the node with what it started', async () => {
    const mark = `hairpin-${randomBytes(6).toString('hex')}`;
    const run = node.probe(['sh', '-c', `sh -c 'exec sleep 60' ${mark} & exec sh -c 'sleep 61; :' ${mark}`], {
      timeout: 500,
    });
    await expect(run).rejects.toMatchObject({ code: 'NODE_TIMEOUT' });
    expect(running(mark)).toEqual([]);
  });

  test('an abort ends the command on the node and gives its reason', async () => {
    const mark = `hairpin-${randomBytes(6).toString('hex')}`;
    const stop = new AbortController();
    const run = node.change(['sh', '-c', `sleep 62; echo ${mark}`], { signal: stop.signal });
    setTimeout(() => stop.abort(new OperatorError('INTERRUPTED', 'Interrupted by SIGINT')), 400);
    await expect(run).rejects.toMatchObject({ code: 'INTERRUPTED', message: 'Interrupted by SIGINT' });
    expect(running(mark)).toEqual([]);
  });

  test('an abort in the moment in which the command starts ends it as well', async () => {
    const mark = `hairpin-${randomBytes(6).toString('hex')}`;
    const delays = [0, 5, 10, 20, 30, 40, 60, 80];
    const runs = delays.map(async (ms) => {
      const stop = new AbortController();
      const run = node.change(['sh', '-c', `sleep 64; echo ${mark}`], { signal: stop.signal });
      setTimeout(() => stop.abort(new Error('stopped')), ms);
      await expect(run).rejects.toThrow('stopped');
    });
    await Promise.all(runs);
    expect(running(mark)).toEqual([]);
  });

  test('a connection that breaks while a command runs is its own error, and the next command opens another', async () => {
    const own = connect();
    const server = await serverOf(own);
    const run = own.change(['sh', '-c', 'echo started; sleep 3'], { onLine: () => process.kill(server, 'SIGKILL') });
    await expect(run).rejects.toMatchObject({ code: 'NODE_CONNECTION_LOST' });
    expect((await own.probe(['echo', 'again'])).stdout).toBe('again\n');
  });

  test('a connection that broke between two commands is opened again without a word', async () => {
    const own = connect();
    const server = await serverOf(own);
    process.kill(server, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await own.probe(['echo', 'again'])).stdout).toBe('again\n');
  });

  test('a changed host key is refused with the place of the known one', async () => {
    const knownHosts = join(sshd.dir, 'wrong_hosts');
    const other = readFileSync(join(sshd.dir, 'other.pub'), 'utf8');
    writeFileSync(knownHosts, `# first line\n[127.0.0.1]:${sshd.port} ${other}`);
    const error = await failure(connect({ configFile: configWith(sshd, 'wrong', knownHosts) }).probe(['true']));
    expect(error.code).toBe('NODE_HOST_KEY');
    expect(error.message).toContain('another host key');
    expect(String(error.cause)).toContain(`${knownHosts}:2`);
    expect(String(error.cause)).toMatch(/SHA256:[A-Za-z0-9+/]{43}$/);
  });

  test('an unknown host key is refused and told apart from a changed one', async () => {
    const error = await failure(
      connect({ configFile: configWith(sshd, 'empty', join(sshd.dir, 'empty_hosts')) }).probe(['true']),
    );
    expect(error.code).toBe('NODE_HOST_KEY');
    expect(error.message).toContain('not known yet');
    expect(existsSync(join(sshd.dir, 'empty_hosts'))).toBe(false);
  });

  test('a key that the node does not know is an authentication error', async () => {
    const configFile = join(sshd.dir, 'bad_key_config');
    writeFileSync(configFile, readFileSync(sshd.configFile, 'utf8').replace('/user\n', '/other\n'));
    const error = await failure(connect({ configFile }).probe(['true']));
    expect(error.code).toBe('NODE_AUTH');
    expect(String(error.cause)).toContain('Permission denied (publickey)');
  });

  test('nothing listening and no such name are unreachable, each with its own hint', async () => {
    const refused = await failure(connect({ name: 'x1', port: 1 }).probe(['true']));
    expect(refused.code).toBe('NODE_UNREACHABLE');
    expect(refused.hint).toContain('is sshd running');
    const unknown = await failure(connect({ name: 'x1', address: 'no-such-host.invalid' }).probe(['true']));
    expect(unknown.code).toBe('NODE_UNREACHABLE');
    expect(unknown.message).toContain('does not resolve');
  });

  test('a machine that accepts and says nothing is unreachable within the limit', async () => {
    const { createServer } = await import('node:net');
    const mute = createServer(() => undefined);
    await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
    const { port } = mute.address() as { port: number };
    const start = performance.now();
    const error = await failure(connect({ name: 'x1', port, connectTimeout: 1000 }).probe(['true']));
    mute.close();
    expect(error.code).toBe('NODE_UNREACHABLE');
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test('a broken ssh configuration is named', async () => {
    const configFile = join(sshd.dir, 'broken_config');
    writeFileSync(configFile, 'Host t1\n  Hostnam 127.0.0.1\n');
    const error = await failure(connect({ configFile }).probe(['true']));
    expect(error.code).toBe('NODE_SSH_CONFIG');
    expect(String(error.cause)).toContain('broken_config');
  });

  test('a proxy command of the configuration is used', async () => {
    const configFile = join(sshd.dir, 'proxy_config');
    const proxied = join(sshd.dir, 'proxied');
    writeFileSync(
      configFile,
      `${readFileSync(sshd.configFile, 'utf8')}  ProxyCommand sh -c 'touch ${proxied}; exec socat - TCP:%h:%p'\n`,
    );
    expect((await connect({ configFile }).probe(['echo', 'hi'])).stdout).toBe('hi\n');
    expect(existsSync(proxied)).toBe(true);
  });

  describe('files', () => {
    const isRoot = userInfo().uid === 0;

    test.skipIf(!isRoot)('writes 100 MB and small binary files whole, with mode and owner', async () => {
      const big = randomBytes(100 * 1024 * 1024);
      const path = join(sshd.dir, 'big');
      const own = connect();
      expect(await own.writeFile({ path, content: big, mode: 0o640, owner: 'root:daemon' })).toEqual({
        changed: true,
        backup: undefined,
      });
      expect(readFileSync(path).equals(big)).toBe(true);
      expect(execFileSync('stat', ['-c', '%a %U:%G', path], { encoding: 'utf8' })).toBe('640 root:daemon\n');
      expect(await own.writeFile({ path, content: big, mode: 0o640, owner: 'root:daemon' })).toEqual({
        changed: false,
        backup: undefined,
      });
    });

    test('reads files and tells when there is none', async () => {
      const path = join(sshd.dir, 'umlaut');
      writeFileSync(path, 'grüße\n');
      expect(await node.readFile(path)).toBe('grüße\n');
      expect(await node.readFile(join(sshd.dir, 'nothing'))).toBeUndefined();
    });
  });

  describe('sudo', () => {
    // A stand-in sudo that asks, reads and refuses as the real one does (attempts, messages, one byte at a time): the
    // user of these tests is root, whom the real one never asks. The node tier has the real one.
    let bin: string;
    let withSudo: TestSshd;

    beforeAll(async () => {
      bin = mkdtempSync(join(tmpdir(), 'hairpin-sudo-'));
      writeFileSync(
        join(bin, 'sudo'),
        `#!/bin/sh
mode=$(cat ${bin}/mode)
n=false; s=false
while [ $# -gt 0 ]; do case $1 in -n) n=true; shift ;; -S) s=true; shift ;; -p) shift 2 ;; --) shift; break ;; *) break ;; esac; done
export AS_ROOT=1
[ $mode = free ] && exec "$@"
[ $mode = refused ] && { echo "deploy is not in the sudoers file." >&2; exit 1; }
$n && { echo "sudo: a password is required" >&2; exit 1; }
tries=0
while IFS= read -r line; do
  echo "$line" >>${bin}/attempts
  [ "$line" = 'correct horse' ] && exec "$@"
  echo "Sorry, try again." >&2
  tries=$((tries + 1)); [ $tries = 3 ] && { echo "sudo: 3 incorrect password attempts" >&2; exit 1; }
done
echo "sudo: no password was provided" >&2; exit 1
`,
      );
      writeFileSync(join(bin, 'id'), `#!/bin/sh\n[ -n "$AS_ROOT" ] && echo 0 || echo 1000\n`);
      chmodSync(join(bin, 'sudo'), 0o755);
      chmodSync(join(bin, 'id'), 0o755);
      withSudo = await startSshd({ path: bin });
    });

    afterAll(() => {
      withSudo[Symbol.dispose]();
      rmSync(bin, { recursive: true, force: true });
    });

    const as = (mode: string, sudoPassword?: string) => {
      writeFileSync(join(bin, 'mode'), mode);
      writeFileSync(join(bin, 'attempts'), '');
      const made = new OpensshNode(
        { name: 't1', address: '127.0.0.1', configFile: withSudo.configFile, sudo: 'always' },
        { socketDir: dir, ...(sudoPassword === undefined ? {} : { sudoPassword }) },
      );
      open.push(made);
      return made;
    };

    test.each([
      { name: 'without a password where none is wanted', mode: 'free', password: undefined },
      { name: 'with a password that is not wanted', mode: 'free', password: 'correct horse' },
      { name: 'with the right password', mode: 'asks', password: 'correct horse' },
    ])('$name, standard input arrives whole', async ({ mode, password }) => {
      const own = as(mode, password);
      const result = await own.probe(['sh', '-c', 'printf "%s:" "$AS_ROOT"; cat'], { stdin: 'line 1\n\nline 3' });
      expect({ stdout: result.stdout, stderr: result.stderr }).toEqual({ stdout: '1:line 1\n\nline 3', stderr: '' });
    });

    test('a command that is talked to hears what is said, and not the password', async () => {
      const input = new PassThrough();
      const ended = as('asks', 'correct horse').change(
        ['sh', '-c', 'while read -r line; do echo "heard $line"; done'],
        {
          input,
          onLine: (_, line) => {
            if (line === 'heard 1') input.end('2\n');
          },
        },
      );
      input.write('1\n');
      expect((await ended).stdout).toBe('heard 1\nheard 2\n');
    });

    test('a wrong password is tried once and never shown', async () => {
      const error = await failure(as('asks', 'wrong donkey').probe(['true']));
      expect(error.code).toBe('NODE_SUDO');
      expect(error.message).toContain('password is wrong');
      expect(readFileSync(join(bin, 'attempts'), 'utf8')).toBe('wrong donkey\n');
      expect(`${error.message}${error.hint}${String(error.cause)}`).not.toContain('donkey');
    });

    test('a missing password and a user without rights are told apart', async () => {
      const missing = await failure(as('asks').probe(['true']));
      expect(missing.message).toContain('wants a password');
      const refused = await failure(as('refused', 'correct horse').probe(['true']));
      expect(refused.message).toContain('may not use sudo');
    });
  });
});

async function failure(run: Promise<unknown>): Promise<OperatorError> {
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(OperatorError);
  return error as OperatorError;
}

/** The process on the far side that serves the connection. */
async function serverOf(node: OpensshNode): Promise<number> {
  return Number((await node.probe(['sh', '-c', 'ps -o ppid= -p $PPID'])).stdout);
}

/** Command lines of processes that have `mark` among their arguments. */
function running(mark: string): string[] {
  return execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => line.includes(mark));
}

function configWith(sshd: TestSshd, name: string, knownHosts: string): string {
  const path = join(sshd.dir, `${name}_config`);
  writeFileSync(path, readFileSync(sshd.configFile, 'utf8').replace(sshd.knownHosts, knownHosts));
  return path;
}
