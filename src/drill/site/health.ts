import { apiserverReady, etcdVoters, nodesReady, unitActive } from '../../check/ask/holds.ts';
import { askOnce, type Question } from '../../check/ask/question.ts';
import { steers } from '../../check/checks/agents-steer.ts';
import type { NodePort } from '../../node/port.ts';
import { haproxyUnit } from '../../render/haproxy/config.ts';
import { keepalivedUnit } from '../../render/keepalived/config.ts';
import { controlPlaneNodes, type Spec, type SpecNode } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';

/** What is wrong with a cluster, asked of its nodes: apiservers, etcd, nodes, and what its strategy runs. */
export async function clusterProblems(
  cluster: { readonly spec: Spec; readonly nodes: ReadonlyMap<string, NodePort>; readonly strategy: string },
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { spec, strategy } = cluster;
  const masters = controlPlaneNodes(spec);
  const names = spec.nodes.map(({ name }) => name);
  const ask = async (node: SpecNode, question: Question): Promise<readonly string[]> => {
    const port = cluster.nodes.get(node.name);
    if (port === undefined) return [`there is no way to ${node.name}`];
    try {
      const verdict = await askOnce(port, question, { signal });
      return verdict.is === 'not-ok' ? [`${node.name}: ${verdict.saw}`] : [];
    } catch (error) {
      signal.throwIfAborted();
      return [error instanceof Error ? error.message : String(error)];
    }
  };
  const units = strategy.startsWith('keepalived-') ? [keepalivedUnit, haproxyUnit] : [];
  const found = await Promise.all([
    ...masters.flatMap((node) => [
      ask(node, apiserverReady(formatHostPort(node.address, spec.apiServerPort))),
      ask(node, etcdVoters(node, masters.length)),
      ...units.map((unit) => ask(node, unitActive(unit))),
      ...(strategy === 'steer' ? [ask(node, steers)] : []),
    ]),
    ...masters.slice(0, 1).map((node) => ask(node, nodesReady(spec, node, names))),
  ]);
  return [...new Set(found.flat())];
}
