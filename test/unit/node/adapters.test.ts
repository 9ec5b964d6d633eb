import { describe, expect, test } from 'vitest';
import { LocalNode } from '../../../src/node/local.ts';
import type { NodePort } from '../../../src/node/port.ts';
import { readOnly } from '../../../src/node/read-only.ts';
import { type Recording, recorded } from '../../../src/node/recording.ts';
import { replay } from '../../../src/node/replay.ts';

describe('LocalNode', () => {
  const node = new LocalNode('here');

  test('a program that is not there gives 127, as over ssh', async () => {
    expect(await node.probe(['no-such-program'])).toMatchObject({
      exitCode: 127,
      stderr: expect.stringMatching('not found'),
    });
  });

  test('a timeout ends what the command started', async () => {
    const start = performance.now();
    await expect(node.probe(['sh', '-c', 'sleep 30 & sleep 31'], { timeout: 200 })).rejects.toMatchObject({
      code: 'NODE_TIMEOUT',
    });
    expect(performance.now() - start).toBeLessThan(3000);
  });

  test('an abort that came before gives its reason and starts nothing', async () => {
    const reason = new Error('stop');
    await expect(node.probe(['true'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  test('a prefix goes before every command', async () => {
    const prefixed = new LocalNode('m1', ['env', 'WHERE=namespace']);
    expect((await prefixed.probe(['sh', '-c', 'echo $WHERE'])).stdout).toBe('namespace\n');
  });
});

describe('readOnly()', () => {
  test('lets probes through and refuses every change', async () => {
    const node = readOnly(new LocalNode('m1'));
    expect((await node.probe(['echo', 'hi'])).stdout).toBe('hi\n');
    await expect(node.change(['reboot', '--now'])).rejects.toMatchObject({
      code: 'NODE_READ_ONLY',
      message: 'Refused to change m1 in a read-only run: reboot --now',
    });
    await expect(node.writeFile({ path: '/etc/hosts', content: '', mode: 0o644 })).rejects.toMatchObject({
      code: 'NODE_READ_ONLY',
    });
  });
});

describe('recorded() and replay()', () => {
  async function story(node: NodePort): Promise<unknown[]> {
    const lines: string[] = [];
    const one = await node.probe(['sh', '-c', 'echo a; echo b >&2; exit 3'], {
      onLine: (s, l) => lines.push(`${s} ${l}`),
    });
    const two = await node.change(['cat'], { stdin: 'token 123' });
    const missing = await node.readFile('/no/such/file');
    return [one.exitCode, one.stdout, one.stderr, two.stdout, missing, lines.toSorted()];
  }

  test('a replay answers as the node did, and survives JSON', async () => {
    const recording: Recording = { node: 'm1', exchanges: [] };
    const live = await story(recorded(new LocalNode('m1'), recording));
    const again = await story(replay(JSON.parse(JSON.stringify(recording)) as Recording));
    expect(again).toEqual(live);
    expect(live).toEqual([3, 'a\n', 'b\n', 'token 123', undefined, ['stderr b', 'stdout a']]);
  });

  test('what redact() removes is not in the recording, nor is standard input', async () => {
    const recording: Recording = { node: 'm1', exchanges: [] };
    await story(recorded(new LocalNode('m1'), recording, (text) => text.replaceAll('123', '***')));
    expect(JSON.stringify(recording)).not.toContain('123"');
    expect(JSON.stringify(recording)).toContain('token ***');
  });

  test('a change is answered once and something never asked is refused', async () => {
    const recording: Recording = { node: 'm1', exchanges: [] };
    const node = recorded(new LocalNode('m1'), recording);
    await node.change(['true']);
    await node.probe(['true']);
    const played = replay(recording);
    await played.change(['true']);
    await expect(played.change(['true'])).rejects.toThrow('Not in the recording of m1: change true');
    await played.probe(['true']);
    await played.probe(['true']);
    await expect(played.probe(['false'])).rejects.toThrow('Not in the recording of m1: probe false');
  });
});
