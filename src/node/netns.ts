import { LocalNode } from './local.ts';

/**
 * A network namespace of this machine as a node: the lab's wire tier, where machines have a network of their own and
 * share everything else. Needs root. `ip netns exec` also binds /etc/netns/NAME/resolv.conf, as the lab's DNS needs.
 */
export function netnsNode(name: string, netns: string): LocalNode {
  return new LocalNode(name, ['ip', 'netns', 'exec', netns]);
}
