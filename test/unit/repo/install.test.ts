import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { repoRoot } from '../../support/imports.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'hairpin-install-'));
  await mkdir(join(dir, 'scripts'));
  await mkdir(join(dir, 'bin'));
  await copyFile(join(repoRoot, 'scripts/install.sh'), join(dir, 'scripts/install.sh'));
  await writeFile(join(dir, 'package.json'), '{}\n');
  await writeFile(join(dir, 'package-lock.json'), '{\n    "node_modules/node": {}\n}\n');
  await program('dpkg-query', 'for p; do echo "installed $p"; done');
  await program('go', 'echo go1.26.8');
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** Stands in for a program of the system; each call is noted with its arguments. */
async function program(name: string, body: string): Promise<void> {
  const path = join(dir, 'bin', name);
  await writeFile(path, `#!/bin/sh\necho "${name} $*" >>'${dir}/calls'\n${body}\n`);
  await chmod(path, 0o755);
}

const makeNode = 'mkdir -p node_modules/node/bin && cp /bin/true node_modules/node/bin/node';

async function install() {
  await rm(join(dir, 'calls'), { force: true });
  const { exitCode, stderr } = await execa(join(dir, 'scripts/install.sh'), {
    env: { PATH: `${join(dir, 'bin')}:/usr/bin:/bin` },
    reject: false,
  });
  const calls = (await readFile(join(dir, 'calls'), 'utf8')).split('\n').filter((line) => line.startsWith('npm '));
  return { exitCode, said: stderr.replaceAll(/in \d+ s/g, 'in N s').split('\n'), calls };
}

test('installs the packages of the lock file once, and does nothing the second time', async () => {
  await program('npm', makeNode);
  expect(await install()).toEqual({
    exitCode: 0,
    said: [
      'npm: installing 1 packages of package-lock.json (Node.js itself is one), about half a minute',
      'npm: installed in N s',
    ],
    calls: ['npm ci --no-audit --no-fund --loglevel=error'],
  });
  expect(await install()).toEqual({ exitCode: 0, said: [''], calls: [] });
});

test('takes a lock file that has no builds for other systems, which npm 11 refuses', async () => {
  await program(
    'npm',
    `[ "$1" = install ] && { ${makeNode}; exit; }
     echo 'npm error \`npm ci\` can only install packages when your package.json and package-lock.json are in sync.'
     exit 1`,
  );
  expect(await install()).toEqual({
    exitCode: 0,
    said: [
      'npm: installing 1 packages of package-lock.json (Node.js itself is one), about half a minute',
      '  npm ci wants entries for other systems in package-lock.json; npm install does without',
      'npm: installed in N s',
    ],
    calls: [
      'npm ci --no-audit --no-fund --loglevel=error',
      'npm install --no-save --no-audit --no-fund --loglevel=error',
    ],
  });
});

test('shows what npm said when it fails, and begins again the next time', async () => {
  await program('npm', 'echo "npm error network is unreachable"; exit 1');
  const failed = await install();
  expect({ exitCode: failed.exitCode, said: failed.said.slice(1) }).toEqual({
    exitCode: 1,
    said: [
      'npm error network is unreachable',
      'make install: npm ci failed',
      '  hint: the last lines above say why; run make again when it is put right',
    ],
  });
  await program('npm', makeNode);
  expect((await install()).exitCode).toBe(0);
});

test('says that a Go is too old to compile with, and goes on', async () => {
  await program('npm', makeNode);
  await program('go', 'case $2 in GOVERSION) echo go1.19.8 ;; esac');
  const { exitCode, said } = await install();
  expect({ exitCode, first: said[0] }).toEqual({
    exitCode: 0,
    first: 'go: 1.19.8 is too old to compile Kubernetes v1.37 (1.26 is needed); fetching its binaries still works',
  });
});
