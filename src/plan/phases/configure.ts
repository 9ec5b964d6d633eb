import { bridgeConfigPath, renderBridge } from '../../render/cni/bridge.ts';
import { dialsOf } from '../../render/kubeadm/dials.ts';
import type { SpecNode } from '../../spec/spec.ts';
import type { Place } from '../../strategy/strategy.ts';
import type { Phase, PlanContext } from '../context.ts';
import { estimates } from '../estimates.ts';
import { planCa } from '../program.ts';
import { planWanted } from '../reach.ts';

/** Everything a node needs before its own init or join, on all nodes at once. */
export const configure: Phase = {
  name: 'configure',
  summary: 'write configuration, and make the endpoint lead where init or join needs it',
  plan(cx) {
    for (const place of cx.cluster.places) {
      const { node } = place;
      if (cx.spec.kubernetes.cni.kind === 'bridge') writeBridge(cx, node);
      if (cx.cluster.state(node) === 'member') continue;
      if (isLater(cx, place)) planCa(cx, place, 'configure', (...step) => cx.steps.add(...step));
      else planWanted(cx, place, 'before', { phase: 'configure' });
    }
  },
};

/**
 * Everybody waits for init, and the program is half of the time until it. Where init and the master's kubelet talk to the
 * master itself, the leader gets it afterwards, while the others join; what dials the endpoint meanwhile tries again.
 */
function isLater(cx: PlanContext, place: Place): boolean {
  if (place.part !== 'leader' || cx.cluster.exists) return false;
  const { featureGates } = cx.documents;
  const dials = dialsOf(cx.spec.kubernetes.version, featureGates.ControlPlaneKubeletLocalMode);
  const isLocal = dials.kubeadmInit === 'local' && dials.masterKubelet === 'local';
  return isLocal && cx.strategy.wants(place, 'before').program;
}

function writeBridge(cx: PlanContext, node: SpecNode): void {
  const content = renderBridge(cx.spec, node);
  const desk = cx.desk(node.name);
  if (desk.hasFile(bridgeConfigPath, content, 0o644)) return;
  cx.steps.add(node.name, 'configure', {
    kind: 'write-file',
    slug: `write${bridgeConfigPath}`,
    path: bridgeConfigPath,
    content,
    mode: 0o644,
    owner: 'root:root',
    because: "pods of this node get the node's share of the pod network",
    estimateMs: estimates.writeFile,
    undo: { is: 'restore-file', path: bridgeConfigPath },
  });
  desk.wrote(bridgeConfigPath, { content, mode: 0o644 });
}
