import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startLab, stopLab } from '../../src/index.ts';
import { hairpin, startHairpin } from '../support/hairpin.ts';
import { labSpec } from '../support/lab-spec.ts';
import { tracesOf } from '../support/lab-traces.ts';

const name = 't-core-cli';
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'hairpin-lab-cli-'));
});
afterAll(() => rmSync(dir, { recursive: true }));
afterEach(async () => void (await stopLab(name)));

function labYaml(spec: string, called: string = name): string {
  const file = join(dir, 'lab.yaml');
  writeFileSync(file, `apiVersion: hairpin/v1alpha1\nkind: Lab\nmetadata: { name: ${called} }\n${spec}`);
  return file;
}

describe('input that cannot be used: one message, and nothing is made', () => {
  test('a file: every problem with its place, exit code 65', async () => {
    const file = labYaml('spec:\n  masters: 300\n  network:\n    clients: [172.16.104.128/25]\n  balancer: f5\n');
    const { code, stdout, stderr } = await hairpin(['lab', 'up', '-f', file]);
    expect({
      code,
      stdout,
      places: stderr.split('\n').flatMap((line) => /lab.yaml(:\d+:\d+ {2}[\w.[\]]+)/.exec(line)?.[1] ?? []),
    }).toEqual({
      code: 65,
      stdout: '',
      places: [':5:12  spec.masters', ':7:15  spec.network.clients[0]', ':8:13  spec.balancer'],
    });
    expect(stderr.trimEnd().split('\n').at(-1)).toBe('3 problems. Nothing was changed.');
    expect(await tracesOf(name)).toEqual([]);
  });

  test.each([
    {
      name: 'a flag',
      args: ['--masters', '0'],
      says: 'Cannot make a lab like this: --masters: a lab cannot have 0 masters; expected 1 or more',
    },
    {
      name: 'a file and flags',
      args: ['-f', 'lab.yaml', '--masters', '3'],
      says: '--file and --masters exclude each other',
    },
    { name: 'a file that is not there', args: ['-f', '/nowhere/lab.yaml'], says: 'Cannot read /nowhere/lab.yaml' },
    {
      name: 'a name that leads elsewhere',
      args: ['--lab', '../x'],
      says: 'Cannot make a lab like this: --lab: `../x` cannot be the name of a lab; expected at most 20 lower-case letters, digits and dashes, a letter first, no dash last',
    },
  ])('$name: exit code 64', async ({ args, says }) => {
    const withName = args.includes('--lab') ? args : ['--lab', name, ...args];
    const { code, stdout, stderr } = await hairpin(['lab', 'up', ...withName]);
    expect({ code, stdout, first: stderr.split('\n')[0] }).toEqual({ code: 64, stdout: '', first: says });
    expect(await tracesOf(name)).toEqual([]);
  });

  test.each([['status'], ['exec', 'm1', '--', 'true'], ['proxy'], ['break', 'silent', 'm1'], ['heal'], ['ssh', 'm1']])(
    '`lab %s` of a lab that is not there says so',
    async (...args) => {
      const { code, stderr } = await hairpin(['lab', ...args.toSpliced(1, 0, '--lab', 't-core-none')]);
      expect({ code, first: stderr.split('\n')[0] }).toEqual({ code: 1, first: 'There is no lab `t-core-none`' });
    },
  );
});

test('a lab from a file is what the file says, and --lab gives it another name', async () => {
  const file = labYaml(
    'spec:\n  masters: 1\n  workers: 0\n  clients: 0\n  balancer: { like: works, scheduling: source-hash }\n',
    'in-the-file',
  );
  const up = await hairpin(['lab', 'up', '-f', file, '--lab', name, '-o', 'json']);
  const status = JSON.parse(up.stdout) as {
    name: string;
    nodes: { name: string }[];
    balancer: { detail: { scheduling: string } };
  };
  expect([status.name, status.nodes.map((node) => node.name), status.balancer.detail.scheduling]).toEqual([
    name,
    ['m1'],
    'source-hash',
  ]);
});

describe('`lab proxy`', () => {
  test('leads from a loopback port to the endpoint until it is interrupted', async () => {
    await using _lab = await startLab(labSpec({ name, masters: 1, workers: 0, balancer: 'works' }));
    const proxy = startHairpin(['lab', 'proxy', '--lab', name, '-o', 'json']);
    const [text] = (await once(proxy.child.stdout as NodeJS.ReadableStream, 'data')) as [string];
    const { listening, target } = JSON.parse(text) as { listening: string; target: string };
    expect(target).toBe('172.16.105.26:6443');
    const { hostname, port } = new URL(`https://${listening}`);
    expect([hostname, await readyz({ host: hostname, port: Number(port) })]).toEqual(['127.0.0.1', 'ok']);
    proxy.child.kill('SIGINT');
    expect((await proxy.done).code).toBe(0);
    await expect(readyz({ host: hostname, port: Number(port) })).rejects.toThrow('ECONNREFUSED');
  });

  test('leads from a Unix socket to one node', async () => {
    await using _lab = await startLab(labSpec({ name, masters: 2, workers: 0, ip: '6', clients: 0 }));
    const socketPath = join(dir, 'm2.sock');
    const proxy = startHairpin(['lab', 'proxy', 'm2', '--lab', name, '--listen', socketPath]);
    const [text] = (await once(proxy.child.stdout as NodeJS.ReadableStream, 'data')) as [string];
    expect(text).toBe(`${socketPath} leads to [fd00:172:16:104::55]:6443 in lab ${name}, until Ctrl-C\n`);
    expect(JSON.parse(await readyz({ socketPath }, '/version'))).toMatchObject({ platform: 'lab/m2' });
    proxy.child.kill('SIGINT');
    expect((await proxy.done).code).toBe(0);
  });

  test('says why when nobody could dial the endpoint, or the port is taken', async () => {
    await using _lab = await startLab(labSpec({ name, masters: 1, workers: 0, clients: 0 }));
    const alone = await hairpin(['lab', 'proxy', '--lab', name]);
    expect([alone.code, alone.stderr.split('\n')[0]]).toEqual([
      64,
      `Lab \`${name}\` has no outside client, so nobody could dial the endpoint`,
    ]);
    const taken = await hairpin(['lab', 'proxy', 'm1', '--lab', name, '--listen', '/nowhere/m1.sock']);
    expect([taken.code, taken.stderr.split('\n')[0]]).toEqual([1, 'Cannot listen on /nowhere/m1.sock']);
  });
});

async function readyz(
  where: { host: string; port: number } | { socketPath: string },
  path = '/readyz',
): Promise<string> {
  return await new Promise((resolve, reject) => {
    const asked = request({ ...where, path, rejectUnauthorized: false, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        body += chunk;
      });
      response.once('end', () => resolve(body));
    });
    asked.once('error', reject);
    asked.end();
  });
}
