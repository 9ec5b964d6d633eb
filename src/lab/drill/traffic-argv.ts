import { OperatorError } from '../../errors/operator-error.ts';
import { enterArgv } from '../cgroup/cgroup.ts';
import { inNetns } from '../commands/command.ts';
import { namespaceExec } from '../tier/namespace-exec.ts';
import type { LabContext } from '../tier/tier.ts';

/**
 * Runs a measuring program in the network of a machine or a pod, with everything else this machine's, and where the
 * kernel allows it ahead of everything that is measured (SCHED_RR): late timestamps would be taken for outages. Real-time
 * scheduling is not to be had inside a cgroup v1 `cpu` group without a share of it, so the program stays out of the lab's;
 * it is in all others, which is how `lab down` finds it. In the wire tier names are asked of the lab's DNS server.
 */
export function trafficArgv(cx: LabContext, name: string, argv: readonly string[]): readonly string[] {
  const { machines, pods } = cx.topology;
  const space = machines.find(({ machine }) => machine.name === name) ?? pods.find((pod) => pod.name === name);
  if (space === undefined) {
    const names = [...machines.map(({ machine }) => machine.name), ...pods.map((pod) => pod.name)];
    throw new OperatorError('LAB_NAME_UNKNOWN', `Lab \`${cx.topology.spec.name}\` has no machine \`${name}\``, {
      hint: `it has ${names.join(', ')}`,
    });
  }
  const ahead = 'chrt -r 1 true 2>/dev/null && exec chrt -r 1 "$@"; exec "$@"';
  const others = cx.cgroups.filter((dir) => !/\/cpu(?:,cpuacct)?\//.test(dir));
  const inside =
    cx.topology.spec.tier === 'wire' ? namespaceExec(cx, name, space.netns, argv) : inNetns(space.netns, argv);
  return enterArgv(others, ['sh', '-c', ahead, 'traffic', ...inside]);
}
