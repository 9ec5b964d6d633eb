import { bridgeConfigPath, renderBridge } from '../../render/cni/bridge.ts';
import type { SpecNode } from '../../spec/spec.ts';
import type { Phase, PlanContext } from '../context.ts';
import { estimates } from '../estimates.ts';
import { planWanted } from '../reach.ts';

/** Everything a node needs before its own init or join, on all nodes at once. */
export const configure: Phase = {
  name: 'configure',
  summary: 'write configuration, and make the endpoint lead where init or join needs it',
  plan(cx) {
    // The leader first: everybody waits for its init, during which there is time for what the others need.
    const { places } = cx.cluster;
    const leaderFirst = [
      ...places.filter(({ part }) => part === 'leader'),
      ...places.filter(({ part }) => part !== 'leader'),
    ];
    for (const place of leaderFirst) {
      const { node } = place;
      if (cx.spec.kubernetes.cni.kind === 'bridge') writeBridge(cx, node);
      if (cx.cluster.state(node) !== 'member') planWanted(cx, place, 'before', { phase: 'configure' });
    }
  },
};

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
  desk.wrote(bridgeConfigPath, content, 0o644);
}
