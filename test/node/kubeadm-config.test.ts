import { beforeAll, describe, expect, test } from 'vitest';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { SecretText, Step } from '../../src/plan/step.ts';
import { initDocuments } from '../../src/render/kubeadm/documents.ts';
import { renderDocuments } from '../../src/render/kubeadm/yaml.ts';
import { makeSpec } from '../support/any-spec.ts';
import { freshFacts, program } from '../support/facts.ts';
import { askKubeadm, kubeadmOf, withSecrets } from '../support/kubeadm-validate.ts';
import { renderCases } from '../support/render-cases.ts';

const version = 'v1.37.2';
let kubeadm = '';

beforeAll(async () => {
  kubeadm = await kubeadmOf(version, AbortSignal.timeout(1_500_000));
}, 1_500_000);

/** Every configuration that a plan gives to kubeadm, with what it is for. */
function configs(steps: readonly Step[]): readonly { readonly id: string; readonly config: SecretText }[] {
  return steps.flatMap((step) =>
    step.kind === 'kubeadm-init' || step.kind === 'kubeadm-join' ? [{ id: step.id, config: step.config }] : [],
  );
}

describe(`kubeadm ${version} config validate`, () => {
  test.each(renderCases)('takes every configuration of $name', async ({ spec, behaviour, acceptUnsafe }) => {
    const facts = freshFacts(spec);
    const { steps } = makePlan({ spec, facts, measured: behaviour, acceptUnsafe: new Set(acceptUnsafe), program });
    const all = configs(steps);
    expect(all.map(({ id }) => id)).toEqual([
      'm1/kubeadm-init',
      'm2/kubeadm-join',
      'm3/kubeadm-join',
      'w1/kubeadm-join',
    ]);
    for (const { id, config } of all) {
      expect({ id, ...(await askKubeadm(kubeadm, 'validate', withSecrets(config))) }).toEqual({
        id,
        exitCode: 0,
        output: 'ok',
      });
    }
  });

  test('refuses what it should: so the others mean something', async () => {
    const text = 'apiVersion: kubeadm.k8s.io/v1beta3\nkind: ClusterConfiguration\n';
    const { exitCode, output } = await askKubeadm(kubeadm, 'validate', text);
    expect([exitCode, output.includes('old API spec')]).toEqual([1, true]);
  });
});

describe('v1, which this kubeadm has as an experimental API', () => {
  const spec = makeSpec({
    masters: 3,
    workers: 0,
    ip: 4,
    version: 'v1.38.0',
    bundle: false,
    cni: 'none',
    strategy: { name: 'bind-vip' },
  });
  const [leader] = spec.nodes;
  const documents = [{ apiVersion: 'kubeadm.k8s.io/v1', kind: 'ClusterConfiguration', kubernetesVersion: version }];
  const options = {
    uploadCertificates: true,
    featureGates: {},
    discoveryTimeoutSeconds: 60,
    endpointIsOnNodes: true,
  };
  const rendered = (users: readonly { apiVersion: string; kind: string; kubernetesVersion: string }[]) =>
    leader === undefined
      ? ''
      : withSecrets(renderDocuments(initDocuments({ ...spec, kubeadm: { documents: users } }, leader, options)));

  test('documents that we render as v1 are valid', async () => {
    const text = rendered(documents);
    expect(text).toContain('apiVersion: kubeadm.k8s.io/v1\n');
    expect(await askKubeadm(kubeadm, 'validate', text, ['--allow-experimental-api'])).toEqual({
      exitCode: 0,
      output: 'ok',
    });
  });

  test('migrating our v1beta4 keeps every value that we wrote', async () => {
    const users = [{ ...documents[0], apiVersion: 'kubeadm.k8s.io/v1beta4' }] as typeof documents;
    const { exitCode, output } = await askKubeadm(kubeadm, 'migrate', rendered(users));
    expect(exitCode).toBe(0);
    for (const value of [
      'controlPlaneEndpoint: 172.17.105.26:6443',
      'podSubnet: 10.0.0.0/8',
      'clusterName: any',
      'name: m1',
      'value: 172.16.0.10',
    ]) {
      expect(output).toContain(value);
    }
  });
});
