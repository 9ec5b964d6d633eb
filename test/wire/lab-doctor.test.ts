import { readdir } from 'node:fs/promises';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { diagnoseHost } from '../../src/lab/doctor/diagnose.ts';
import { stateDir } from '../../src/lab/paths.ts';

const signal = new AbortController().signal;

/** What a trial could leave behind in this machine's own namespaces. */
async function traces() {
  const said = await Promise.all(
    [
      ['nft', 'list', 'ruleset'],
      ['ip', '-o', 'link'],
      ['ip', 'netns'],
      ['findmnt', '-rno', 'TARGET'],
    ].map(async ([program = '', ...args]) => (await execa(program, args)).stdout),
  );
  const scratch = (await readdir(stateDir())).filter((name) => name.startsWith('.doctor-'));
  return { said, scratch };
}

describe('diagnoseHost()', () => {
  test('finds this machine fit for the wire tier and leaves no trace of what it tried', async () => {
    await diagnoseHost('wire', { signal });
    const before = await traces();
    const report = await diagnoseHost('wire', { signal, features: true });
    expect(report.findings.filter(({ finding }) => finding.is === 'absent')).toEqual([]);
    expect(report.fit).toBe(true);
    expect(await traces()).toEqual(before);
  });

  test('guesses nothing about the kernel for somebody who is not root', async () => {
    const script = `
      const { diagnoseHost } = await import(${JSON.stringify(`${process.cwd()}/src/lab/doctor/diagnose.ts`)});
      const report = await diagnoseHost('node', { signal: new AbortController().signal });
      console.log(JSON.stringify(report.findings.filter((f) => f.finding.is === 'absent').map((f) => f.name)));`;
    const nobody = '--reuid=65534 --regid=65534 --clear-groups --'.split(' ');
    const node = [process.execPath, '--input-type=module-typescript', '--eval', script];
    const { stdout } = await execa('setpriv', [...nobody, ...node]);
    const names = JSON.parse(stdout) as string[];
    expect(names).toEqual(
      expect.arrayContaining(['host/root', 'kernel/veth', 'kernel/bridge', 'kernel/nftables', 'kernel/overlay']),
    );
    expect(names).not.toContain('tool/nft');
  });
});
