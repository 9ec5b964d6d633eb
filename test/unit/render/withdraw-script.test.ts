import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { withdrawAgent } from '../../../src/render/agent/node-scripts.ts';

const stays = 'the steering table of IPv4 steers nothing and stays for 2 connections that are still open';

/**
 * Runs the script in a directory that stands for the node, with tools that only note how they were called. `programs`:
 * what `/usr/local/bin/hairpin` and the executable of the version in force do; absent ones are not there.
 */
function withdraw(given: { readonly launcher?: string; readonly version?: string; readonly member: boolean }) {
  const root = mkdtempSync(join(tmpdir(), 'hairpin-withdraw-'));
  try {
    const bin = join(root, 'bin');
    const calls = join(root, 'calls');
    const put = (path: string, body: string) => {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `#!/bin/sh\n${body}\n`);
      chmodSync(path, 0o755);
    };
    writeFileSync(calls, '');
    put(join(bin, 'systemctl'), `echo systemctl "$@" >>${calls}`);
    put(join(bin, 'nft'), `echo nft "$@" >>${calls}; [ "$1" != -f ] || cat >>${calls}`);
    put(join(bin, 'ip'), `[ "$3" != show ] || [ "$1" = -6 ] || echo 10.9.9.9 dev eth0; echo ip "$@" >>${calls}`);
    const note = (name: string, body: string) => `echo ${name} "$@" >>${calls}\n${body}`;
    if (given.launcher !== undefined) put(join(root, 'usr/hairpin'), note('launcher', given.launcher));
    if (given.version !== undefined) {
      const named = `version "\${LD_LIBRARY_PATH#${root}}"`;
      put(join(root, 'versions/1/hairpin'), note(named, given.version));
    }
    const member = join(root, 'kubelet.conf');
    if (given.member) writeFileSync(member, '');
    const state = join(root, 'state dir');
    mkdirSync(join(state, 'deep'), { recursive: true });
    const [sh = '', c = '', script = '', name = ''] = withdrawAgent;
    const argv = [c, script, name, join(root, 'usr/hairpin'), join(root, 'versions'), member, state];
    const env = { PATH: `${bin}:${process.env.PATH}` };
    const said = execFileSync(sh, argv, { encoding: 'utf8', env });
    expect(existsSync(state)).toBe(false);
    return { said, calls: readFileSync(calls, 'utf8').trimEnd().split('\n') };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

const stopped =
  'systemctl disable --now hairpin-agent.service hairpin-mirror.socket hairpin-mirror.service hairpin-pods.socket hairpin-pods.service hairpin-steerer.service';

describe('taking steering out of a node', () => {
  test('asks the program on the node, which knows the flows, and passes on what stays', () => {
    const launcher = `echo '${stays}'; echo 'the route to 10.9.9.9 is removed'`;
    expect(withdraw({ launcher, version: 'exit 1', member: true })).toEqual({
      said: `${stays}\n`,
      calls: [stopped, 'launcher agent withdraw'],
    });
  });

  test('says nothing when nothing stays', () => {
    const launcher = `echo 'the steering table of IPv4 is removed'`;
    expect(withdraw({ launcher, member: true })).toEqual({ said: '', calls: [stopped, 'launcher agent withdraw'] });
  });

  test('takes a version as it lies there when the launcher is undone already', () => {
    expect(withdraw({ version: `echo '${stays}'`, member: true })).toEqual({
      said: `${stays}\n`,
      calls: [stopped, 'version /versions/1/lib agent withdraw'],
    });
  });

  test('a node that left its cluster keeps no table', () => {
    expect(withdraw({ launcher: `echo '${stays}'`, member: false })).toEqual({
      said: '',
      calls: [stopped, 'launcher agent withdraw', 'nft delete table ip hairpin', 'nft delete table ip6 hairpin'],
    });
  });

  test('without a program that can, nothing is steered any more and the tables stay', () => {
    const { said, calls } = withdraw({ launcher: 'exit 2', member: true });
    expect(said.split('\n')).toEqual([
      `the steering table ip hairpin steers nothing and stays: hairpin's program does not run here any more; it goes with the next reboot, or with: nft delete table ip hairpin`,
      `the steering table ip6 hairpin steers nothing and stays: hairpin's program does not run here any more; it goes with the next reboot, or with: nft delete table ip6 hairpin`,
      '',
    ]);
    expect(calls).toContain('flush set ip hairpin live');
    expect(calls).toContain('flush set ip6 hairpin live');
    expect(calls).toContain('ip -4 route delete 10.9.9.9 dev eth0');
    expect(calls.filter((call) => call.startsWith('nft delete'))).toEqual([]);
  });
});
