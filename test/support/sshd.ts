import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * A real sshd on 127.0.0.1 with keys of its own, for tests of what only a real one shows. It runs as whoever runs the
 * tests and lets only that user in. `configFile` is an ssh configuration that reaches it as `Host t1`.
 */
export interface TestSshd extends Disposable {
  readonly dir: string;
  readonly port: number;
  readonly configFile: string;
  readonly knownHosts: string;
  readonly process: ChildProcess;
}

export const sshdInstalled = existsSync('/usr/sbin/sshd');

/**
 * `extra` lines go into sshd_config, `path` in front of the PATH that sessions get. `command` is a script that runs
 * instead of whatever is asked for.
 */
export async function startSshd(
  opts: { extra?: readonly string[]; path?: string; command?: string } = {},
): Promise<TestSshd> {
  const dir = mkdtempSync(join(tmpdir(), 'hairpin-sshd-'));
  chmodSync(dir, 0o700);
  for (const key of ['host', 'user', 'other']) {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(dir, key)]);
  }
  if (userInfo().uid === 0) mkdirSync('/run/sshd', { recursive: true });
  const port = await freePort();
  if (opts.command !== undefined) writeFileSync(join(dir, 'command'), opts.command);
  const knownHosts = join(dir, 'known_hosts');
  writeFileSync(join(dir, 'authorized_keys'), readFileSync(join(dir, 'user.pub')));
  writeFileSync(knownHosts, `[127.0.0.1]:${port} ${readFileSync(join(dir, 'host.pub'), 'utf8')}`);
  writeFileSync(
    join(dir, 'sshd_config'),
    [
      `ListenAddress 127.0.0.1:${port}`,
      `HostKey ${join(dir, 'host')}`,
      `AuthorizedKeysFile ${join(dir, 'authorized_keys')}`,
      `PidFile ${join(dir, 'pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      // Debian's bash reads ~/.bashrc for ssh sessions unless it thinks that it is inside another shell.
      `SetEnv SHLVL=2${opts.path === undefined ? '' : ` PATH=${opts.path}:/usr/sbin:/usr/bin:/sbin:/bin`}`,
      ...(opts.command === undefined ? [] : [`ForceCommand sh ${join(dir, 'command')}`]),
      ...(opts.extra ?? []),
    ].join('\n') + '\n',
  );
  const configFile = join(dir, 'ssh_config');
  writeFileSync(
    configFile,
    ['Host t1', '  HostName 127.0.0.1', `  Port ${port}`, `  User ${userInfo().username}`]
      .concat([`  IdentityFile ${join(dir, 'user')}`, '  IdentitiesOnly yes', `  UserKnownHostsFile ${knownHosts}`])
      .join('\n') + '\n',
  );
  const log = join(dir, 'log');
  const child = spawn('/usr/sbin/sshd', ['-D', '-E', log, '-f', join(dir, 'sshd_config')], { stdio: 'ignore' });
  for (let tries = 0; !(await answers(port)); tries += 1) {
    if (tries > 100) throw new Error(`sshd did not start: ${readFileSync(log, 'utf8')}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    dir,
    port,
    configFile,
    knownHosts,
    process: child,
    [Symbol.dispose]() {
      child.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
