import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { diagnoseHost } from '../../src/lab/doctor/diagnose.ts';
import { stateDir } from '../../src/lab/paths.ts';

const signal = new AbortController().signal;

/** What a trial could leave behind in this machine's own namespaces, by the names that trials use. */
async function traces(): Promise<string[]> {
  const listings = [
    ['nft', 'list', 'ruleset'],
    ['ip', '-o', 'link'],
    ['findmnt', '-rno', 'TARGET'],
    ['ls', '-A', stateDir()],
  ];
  const said = await Promise.all(
    listings.map(async ([program = '', ...args]) => (await execa(program, args)).stdout.split('\n')),
  );
  return said.flat().filter((line) => /\bhp[01bm]\b|table inet hp\b|\.doctor/.test(line));
}

describe('diagnoseHost()', () => {
  test('finds this machine fit for the wire tier and leaves no trace of what it tried', async () => {
    const report = await diagnoseHost('wire', { signal, features: true });
    expect(report.findings.filter(({ finding }) => finding.is === 'absent')).toEqual([]);
    expect(report.fit).toBe(true);
    expect(await traces()).toEqual([]);
  });

  test('killed at any moment, leaves nothing that the next one does not remove', async () => {
    const script = `
      const { diagnoseHost } = await import(${JSON.stringify(`${process.cwd()}/src/lab/doctor/diagnose.ts`)});
      for (;;) await diagnoseHost('TIER', { signal: new AbortController().signal });`;
    const kill = async (tier: string, ms: number) => {
      const argv = ['--input-type=module-typescript', '--eval', script.replace('TIER', tier)];
      await execa(process.execPath, argv, { timeout: ms, killSignal: 'SIGKILL', reject: false });
    };
    for (const ms of [300, 350, 420, 500]) await kill('wire', ms);
    expect(await traces()).toEqual([]);
    for (const ms of [300, 350, 420, 500]) await kill('node', ms);
    await diagnoseHost('node', { signal });
    expect(await traces()).toEqual([]);
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
