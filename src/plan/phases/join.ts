import { kubeadmApiFor } from '../../render/kubeadm/api.ts';
import {
  discoversByFile,
  discoveryPath,
  joinCommand,
  joinConfigPath,
  sharedCertificates,
} from '../../render/kubeadm/commands.ts';
import { discoveryDocument, joinDocuments } from '../../render/kubeadm/documents.ts';
import { renderDocuments } from '../../render/kubeadm/yaml.ts';
import type { Spec } from '../../spec/spec.ts';
import { detectionMs } from '../../spec/timing.ts';
import type { Place } from '../../strategy/strategy.ts';
import type { PlanContext } from '../context.ts';
import { estimates } from '../estimates.ts';
import { slugs } from '../ids.ts';
import type { KubeadmJoinStep, PhaseName, StepId } from '../step.ts';

/** The steps that both kinds of join have: wait until the endpoint answers here, then join. */
export function planJoin(cx: PlanContext, place: Place, phase: PhaseName, needs: readonly StepId[]): void {
  const { spec, steps, documents } = cx;
  const { node, part } = place;
  if (part === 'follower' && !documents.uploadCertificates) {
    steps.add(node.name, phase, {
      kind: 'copy-certificates',
      slug: 'copy-certificates',
      from: cx.cluster.leader.name,
      paths: sharedCertificates,
      because: 'this kubeadm takes the key of uploaded certificates in argv only, where everybody can read it',
      alsoNeeds: needs,
      undo: { is: 'kubeadm-reset' },
    });
  }
  steps.add(node.name, phase, {
    kind: 'hold',
    slug: 'hold-endpoint-answers',
    check: { is: 'endpoint-answers', host: spec.endpoint.host, port: spec.endpoint.port },
    deadlineMs: endpointDeadlineMs(cx),
    because: 'join asks the endpoint for everything it needs',
    alsoNeeds: needs,
    estimateMs: estimates.holdEndpoint,
  });
  steps.add(node.name, phase, {
    kind: 'kubeadm-join',
    slug: slugs.join,
    role: node.role,
    configPath: joinConfigPath,
    config: renderDocuments(joinDocuments(spec, node, documents)),
    discovery: discoveryOf(spec),
    argv: joinCommand(),
    because: `${kubeadmApiFor(spec.kubernetes.version, spec.kubeadm.documents)}; by a file, so that no secret is in argv`,
    estimateMs: part === 'worker' ? estimates.kubeadmJoinWorker : estimates.kubeadmJoinMaster,
    undo: { is: 'kubeadm-reset' },
  });
}

/** The same for all nodes, so it is rendered once: there may be thousands. */
function discoveryOf(spec: Spec): KubeadmJoinStep['discovery'] {
  if (!discoversByFile(spec.kubernetes.version)) return undefined;
  const discovery = discoveries.get(spec) ?? {
    path: discoveryPath,
    content: renderDocuments([discoveryDocument(spec)]),
  };
  discoveries.set(spec, discovery);
  return discovery;
}

const discoveries = new WeakMap<Spec, NonNullable<KubeadmJoinStep['discovery']>>();

/** The balancer must have found the leader: rise × interval after it is ready; and as much again for whatever is slow. */
function endpointDeadlineMs({ spec }: PlanContext): number {
  const check = spec.balancer?.healthCheck;
  return 60_000 + (check === undefined ? 0 : check.rise * check.intervalMs + detectionMs(check));
}
