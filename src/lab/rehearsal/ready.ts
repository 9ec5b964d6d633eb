import { setTimeout as sleep } from 'node:timers/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import { ofRole } from './by-hand.ts';
import { kubectlArgv } from './observe.ts';

/** A node as the API shows it. `renewed` is when its kubelet last said that it lives. */
export interface NodeSeen {
  readonly name: string;
  readonly ready: boolean;
  readonly renewed: number;
}

const template = '{range .items[*]}{.metadata.name} {.status.conditions[?(@.type=="Ready")].status}{"\\n"}{end}';
const leaseTemplate = '{range .items[*]}{.metadata.name} {.spec.renewTime}{"\\n"}{end}';

/**
 * Waits until every node is Ready and its kubelet has said so after `since`: right after a start the API still shows
 * what was true before. Gives the milliseconds since `since`.
 */
export async function untilNodesReady(
  lab: RunningLab,
  opts: { readonly signal: AbortSignal; readonly since: number; readonly timeout: number },
): Promise<number> {
  const [master] = ofRole(lab, 'control-plane');
  if (master === undefined) throw new RangeError('The lab has no master');
  const wanted = [...ofRole(lab, 'control-plane'), ...ofRole(lab, 'worker')].map(({ name }) => name);
  let seen: readonly NodeSeen[] = [];
  while (Date.now() - opts.since < opts.timeout) {
    const ask = async (resource: readonly string[], jsonpath: string) => {
      const argv = kubectlArgv(lab, master.name, ['get', ...resource, '--output', `jsonpath=${jsonpath}`]);
      return (await lab.exec(master.name, argv, { signal: opts.signal })).stdout;
    };
    const nodes = await ask(['nodes'], template);
    const leases = nodes === '' ? '' : await ask(['leases', '--namespace', 'kube-node-lease'], leaseTemplate);
    seen = readNodes(nodes, leases);
    const done = seen.filter(({ ready, renewed }) => ready && renewed >= opts.since).map(({ name }) => name);
    if (wanted.every((name) => done.includes(name))) return Date.now() - opts.since;
    await sleep(250, undefined, { signal: opts.signal });
  }
  throw new OperatorError('LAB_COMMAND_FAILED', `Not all nodes of lab \`${lab.name}\` became Ready`, {
    cause: seen.length === 0 ? 'the API of the first master does not answer' : JSON.stringify(seen),
  });
}

/** Joins the two listings. Pure. */
export function readNodes(nodes: string, leases: string): readonly NodeSeen[] {
  const pairs = (text: string) =>
    text
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([name]) => name !== undefined && name !== '');
  const renewed = new Map(pairs(leases).map(([name = '', time = '']) => [name, Date.parse(time)]));
  return pairs(nodes).map(([name = '', status]) => ({
    name,
    ready: status === 'True',
    renewed: renewed.get(name) ?? 0,
  }));
}
