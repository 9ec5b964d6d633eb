import { afterEach, describe, expect, test } from 'vitest';
import { type Lab, silent, startLab, stopLab } from '../../src/index.ts';
import { clusterByHand, installCni, kubeadmInit, ofRole } from '../../src/lab/rehearsal/by-hand.ts';
import { tryEndpoint } from '../../src/lab/rehearsal/observe.ts';
import { untilNodesReady } from '../../src/lab/rehearsal/ready.ts';
import { labSpec } from '../support/lab-spec.ts';

const name = 't-versions';
const { signal } = new AbortController();
const opts = { emit: silent, signal };
afterEach(async () => void (await stopLab(name)));

const versions = ['v1.34.4', 'v1.35.4', 'v1.36.3', 'v1.37.2'] as const;

async function init(lab: Lab) {
  const [leader] = ofRole(lab, 'control-plane');
  if (leader === undefined) throw new Error('no master');
  await installCni(lab, opts);
  return await kubeadmInit(lab, leader, opts);
}

describe('plain kubeadm behind a balancer that drops what comes back', () => {
  test.each(['v1.34.4', 'v1.35.4'])(
    '%s: `kubeadm init` fails in upload-config, because it dials the endpoint itself',
    async (version) => {
      const spec = labSpec({
        name,
        tier: 'node',
        kubernetes: version,
        balancer: 'alibaba-clb',
        masters: 1,
        workers: 0,
      });
      await using lab = await startLab(spec);
      const { result, join } = await init(lab);
      expect({ exitCode: result.exitCode, join }).toEqual({ exitCode: 1, join: undefined });
      expect(result.stderr).toContain(
        'error execution phase upload-config/kubeadm: could not bootstrap the admin user in file admin.conf: unable to create ClusterRoleBinding: Post "https://172.16.105.26:6443/',
      );
      expect(await tryEndpoint(lab, 'm1', 10, opts)).toMatchObject({ answered: 0, silent: 10 });
    },
  );

  test.each(['v1.36.3', 'v1.37.2'])(
    '%s: `kubeadm init` reports success, and the master reaches nothing',
    async (version) => {
      const spec = labSpec({
        name,
        tier: 'node',
        kubernetes: version,
        balancer: 'alibaba-clb',
        masters: 1,
        workers: 0,
      });
      await using lab = await startLab(spec);
      const { result } = await init(lab);
      expect({ exitCode: result.exitCode, stderr: result.exitCode === 0 ? '' : result.stderr }).toEqual({
        exitCode: 0,
        stderr: '',
      });
      expect(await tryEndpoint(lab, 'm1', 10, opts)).toMatchObject({ answered: 0, silent: 10 });
    },
  );
});

test.each(versions)('plain kubeadm behind a balancer that hairpins: %s comes up, all nodes Ready', async (version) => {
  const spec = labSpec({ name, tier: 'node', kubernetes: version, balancer: 'works', masters: 1, workers: 1 });
  await using lab = await startLab(spec);
  await clusterByHand(lab, opts);
  await untilNodesReady(lab, { signal, since: Date.now() - 60_000, timeout: 120_000 });
  expect(await tryEndpoint(lab, 'm1', 10, opts)).toMatchObject({ answered: 10 });
});
