import { describe, expect, test } from 'vitest';
import { makePlan } from '../../src/plan/make-plan.ts';
import type { KubeadmDocument, StrategySpec } from '../../src/spec/spec.ts';
import { makeSpec } from '../support/any-spec.ts';
import { freshFacts, program } from '../support/facts.ts';
import { askKubeadm, kubeadmOf, withSecrets } from '../support/kubeadm-validate.ts';

const strategies: readonly StrategySpec[] = [{ name: 'steer', workers: false }, { name: 'bind-vip' }];

/** v1beta3 is written where a document of the user asks for it. */
const askForV1beta3: KubeadmDocument = { apiVersion: 'kubeadm.k8s.io/v1beta3', kind: 'ClusterConfiguration' };

describe.each(['v1.34.4', 'v1.35.4', 'v1.36.3', 'v1.37.2'])('kubeadm %s config validate', (version) => {
  const apis = version === 'v1.37.2' ? ['v1beta4'] : ['v1beta4', 'v1beta3'];

  test.each(apis)('takes every configuration that we write as %s', async (api) => {
    const kubeadm = await kubeadmOf(version, AbortSignal.timeout(3_600_000));
    for (const strategy of strategies) {
      for (const ip of [4, 6] as const) {
        const base = makeSpec({ masters: 3, workers: 1, ip, version, bundle: false, cni: 'bridge', strategy });
        const spec = { ...base, kubeadm: { documents: api === 'v1beta3' ? [askForV1beta3] : [] } };
        const plan = makePlan({ spec, facts: freshFacts(spec), measured: 'drop', acceptUnsafe: new Set(), program });
        expect(plan.blockers).toEqual([]);
        for (const step of plan.steps) {
          if (step.kind !== 'kubeadm-init' && step.kind !== 'kubeadm-join') continue;
          const text = withSecrets(step.config);
          expect(text).toContain(`kubeadm.k8s.io/${api}`);
          const { exitCode, output } = await askKubeadm(kubeadm, 'validate', text);
          expect([step.id, exitCode, output.split('\n').at(-1)]).toEqual([step.id, 0, 'ok']);
        }
      }
    }
  });
});
