import type { StrategyName } from '../spec.ts';
import { parseEndpoint, parseNodes } from './flags.ts';

/** What the wizard says about an answer while it is typed; `undefined`: it will do. */
export function checkNodes(answer: string, flag: 'masters' | 'workers'): string | undefined {
  const nodes = parseNodes(answer, flag, flag === 'masters' ? 'm' : 'w');
  if (nodes.length === 0) return 'At least one address';
  const wrong = nodes.find((node) => 'problem' in node);
  return wrong !== undefined && 'problem' in wrong ? `${wrong.problem}; expected ${wrong.expected}` : undefined;
}

export function checkEndpoint(answer: string): string | undefined {
  const endpoint = parseEndpoint(answer, undefined);
  return 'problem' in endpoint ? `${endpoint.problem}; expected ${endpoint.expected}` : undefined;
}

/** What there is to choose from, with one line each. */
export const strategyChoices: readonly { readonly name: StrategyName | 'auto'; readonly meaning: string }[] = [
  { name: 'auto', meaning: 'measure the balancer and choose' },
  { name: 'steer', meaning: 'an agent steers to a ready apiserver, its own first' },
  { name: 'bind-vip', meaning: 'each master has the VIP' },
  { name: 'hosts', meaning: "/etc/hosts sends the endpoint's name to the master itself" },
  { name: 'keepalived-haproxy', meaning: 'each master has the VIP and a haproxy' },
  { name: 'keepalived-vip', meaning: 'no balancer: a VIP that moves' },
  { name: 'direct', meaning: 'the balancer hairpins' },
];
