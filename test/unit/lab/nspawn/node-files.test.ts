import { describe, expect, test } from 'vitest';
import { machineNetwork } from '../../../../src/lab/nspawn/machine-network.ts';
import { networkScript } from '../../../../src/lab/nspawn/network-script.ts';
import { nodeFiles } from '../../../../src/lab/nspawn/node-files.ts';
import { renderKnownHosts, renderProxy, renderSshConfig } from '../../../../src/lab/nspawn/ssh-files.ts';
import { drawTopology } from '../../../../src/lab/topology/draw.ts';
import { labSpec } from '../../../support/lab-spec.ts';

const golden = (name: string) => `../../../golden/lab/node/${name}`;
const dual = drawTopology(labSpec({ name: 'gold', tier: 'node', ip: 'dual', masters: 1, workers: 1 }));
const segment = drawTopology(labSpec({ name: 'gold', tier: 'node', balancer: 'lvs-dr', masters: 2, workers: 0 }));

test('nodeFiles() are those of an installed machine and what the lab adds', async () => {
  const files = nodeFiles({ pauseImage: 'registry.k8s.io/pause:3.10.2' });
  const text = files.map(({ path, mode, content }) => `=== ${path} ${mode.toString(8)}\n${content}`).join('\n');
  await expect(text).toMatchFileSnapshot(golden('files.txt'));
});

test('nodeFiles() hides nothing of the base: /lib is a link there', () => {
  const paths = nodeFiles({ pauseImage: 'x' }).map(({ path }) => path);
  expect(paths.filter((path) => /^\/(?:lib|bin|sbin)\//.test(path))).toEqual([]);
  expect(new Set(paths).size).toBe(paths.length);
});

describe('ssh', () => {
  const files = { identity: '/labs/gold/keys/id', knownHosts: '/labs/gold/known hosts', proxy: '/labs/gold/ssh-proxy' };

  test('renderSshConfig() names each node and its addresses, and checks host keys strictly', async () => {
    const text = renderSshConfig(dual, { ...files, controlDir: '/labs/gold/ctl' });
    await expect(text).toMatchFileSnapshot(golden('ssh_config'));
  });

  test('renderSshConfig() shares no connection where the socket’s path would be too long', () => {
    expect(renderSshConfig(dual, { ...files, controlDir: undefined })).not.toContain('Control');
  });

  test('renderKnownHosts() has a line for each node, without clients', () => {
    const keys = ['m1', 'w1', 'c1'].map((machine) => ({ machine, publicKey: `ssh-ed25519 ${machine}` }));
    expect(renderKnownHosts(dual, keys)).toBe(
      'm1,172.16.104.54,fd00:172:16:104::54 ssh-ed25519 m1\nw1,172.16.104.55,fd00:172:16:104::55 ssh-ed25519 w1\n',
    );
  });

  test('renderProxy() is in the lab’s cgroups before it connects', async () => {
    await expect(renderProxy(dual, ['/cg/pids/hairpin/gold', '/cg/memory/hairpin/gold'])).toMatchFileSnapshot(
      golden('ssh-proxy'),
    );
  });
});

describe('networkScript()', () => {
  test.each([
    { name: 'routed-dual', topology: dual },
    { name: 'segment', topology: segment },
  ])('$name', async ({ name, topology }) => {
    const [space] = topology.machines;
    if (space === undefined) throw new Error('no machine');
    const script = networkScript(topology, space, machineNetwork(topology, space));
    await expect(script).toMatchFileSnapshot(golden(`network-${name}.sh`));
  });
});
