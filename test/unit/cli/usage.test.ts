import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createProgram } from '../../../src/cli/program.ts';
import { repoRoot } from '../../support/imports.ts';

type Commands = ReturnType<typeof createProgram>['commands'];

/** Every command with its whole name: `lab balancer status`. */
function all(commands: Commands, before = ''): { name: string; command: Commands[number] }[] {
  return commands.flatMap((command) => {
    const name = `${before}${command.name()}`;
    return [{ name, command }, ...all(command.commands, `${name} `)];
  });
}

const commands = all(createProgram().commands);
const leaves = commands.filter(({ command }) => command.commands.length === 0);

function hairpin(...argv: string[]): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    execFile(join(repoRoot, 'bin/hairpin'), argv, (error, _stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stderr });
    });
  });
}

test.each(leaves)('hairpin $name has an example in its help, and takes --output', ({ command }) => {
  let help = '';
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  expect(help).toMatch(/Examples?:\n {2}hairpin /);
  // Those that systemd starts have no result to print.
  const isDaemon = help.includes('(started by\n') || help.includes('(started by systemd)');
  if (!isDaemon) expect(help).toMatch(/-o, --output <format>/);
});

test.each(['up', 'lab up', 'lab balancer status'])(
  'an unknown option of hairpin %s ends with 64 and points at --help',
  async (name) => {
    expect(await hairpin(...name.split(' '), '--nope')).toEqual({
      code: 64,
      stderr: "error: unknown option '--nope'\n(see --help)\n",
    });
  },
);

test('an unknown verb ends with 64', async () => {
  expect((await hairpin('frobnicate')).code).toBe(64);
});

test('a reader that does not read to the end is no defect', async () => {
  const script = '"$1" lab --help 2>"$2" | true; cat "$2"; rm -f "$2"';
  const file = join(tmpdir(), `hairpin-usage-${process.pid}`);
  const said = await new Promise<string>((resolve) => {
    execFile('sh', ['-c', script, 'test', join(repoRoot, 'bin/hairpin'), file], (_error, stdout) => resolve(stdout));
  });
  expect(said).toBe('');
});
