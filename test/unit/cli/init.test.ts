import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { repoRoot } from '../../support/imports.ts';

const main = join(repoRoot, 'src/cli/main.ts');
const flags = ['--masters', '10.0.0.1,10.0.0.2,10.0.0.3', '--endpoint', '172.16.105.26:6443'];

let dir = '';
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-init-'));
});
afterAll(async () => {
  await rm(dir, { recursive: true, force: true });
});

/** Standard input is no terminal, so nothing may be asked. */
async function init(...argv: readonly string[]) {
  const result = await execa(process.execPath, [main, 'init', ...argv], { cwd: dir, reject: false, stdin: 'ignore' });
  return { exitCode: result.exitCode, stdout: result.stdout, stderr: result.stderr };
}

describe('hairpin init', () => {
  test('writes a file once, refuses to overwrite it, and replaces it with --force', async () => {
    expect(await init(...flags)).toEqual({
      exitCode: 0,
      stdout: 'wrote cluster.yaml   next: hairpin plan -f cluster.yaml',
      stderr: '',
    });
    await writeFile(join(dir, 'cluster.yaml'), 'mine');
    expect(await init(...flags)).toEqual({
      exitCode: 64,
      stdout: '',
      stderr: 'cluster.yaml is there already\n  hint: another name with -f, or --force to replace it\n  code: USAGE',
    });
    expect(await readFile(join(dir, 'cluster.yaml'), 'utf8')).toBe('mine');
    expect((await init(...flags, '--force')).exitCode).toBe(0);
    const [printed, written] = [await init(...flags, '-f', '-'), await readFile(join(dir, 'cluster.yaml'), 'utf8')];
    expect(`${printed.stdout}\n`).toBe(written);
    expect(await readdir(dir)).toEqual(['cluster.yaml']);
  });

  test('asks nothing and writes nothing when stdin is no terminal and flags are missing', async () => {
    const { exitCode, stderr } = await init('-f', 'other.yaml');
    expect([exitCode, stderr.split('\n')[1]]).toEqual([
      64,
      '  --masters: is missing; expected addresses, such as 10.0.0.1,10.0.0.2,10.0.0.3',
    ]);
    expect(await readdir(dir)).not.toContain('other.yaml');
  });

  test('a broken inventory is exit code 65 with file, line and column; as JSON when asked', async () => {
    await writeFile(join(dir, 'hosts.ini'), '[masters]\nm1 ansible_host=m1.example\n');
    const { exitCode, stdout } = await init(
      '--inventory',
      'hosts.ini',
      '--endpoint',
      '10.1.0.1',
      '-f',
      'x',
      '-o',
      'json',
    );
    expect(exitCode).toBe(65);
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        code: 'BAD_SPEC',
        diagnostics: [{ file: 'hosts.ini', line: 2, column: 1, code: 'INVENTORY_NO_ADDRESS' }],
      },
    });
  });

  test('--from-cluster says what it cannot use, and where it cannot log in', async () => {
    const mixed = await init('--from-cluster', 'root@127.0.0.1:1', '--masters', '10.0.0.1', '-f', 'y');
    expect([mixed.exitCode, mixed.stderr.split('\n')[0]]).toEqual([
      64,
      '--from-cluster reads from the cluster what masters would say',
    ]);
    const nobody = await init('--from-cluster', 'root@127.0.0.1:1', '-f', 'y');
    expect([nobody.exitCode, nobody.stderr.split('\n').at(-1)]).toEqual([1, '  code: NODE_UNREACHABLE']);
    const option = await init('--from-cluster', '-oProxyCommand=x', '-f', 'y');
    expect(option.exitCode).toBe(64);
    expect(await readdir(dir)).not.toContain('y');
  });
});
