import type { HairpinBehaviour } from '../../balancer/behaviour.ts';
import type { Spec, StrategySpec } from '../spec.ts';
import type { Rule } from './rule.ts';

interface Misfit {
  readonly severity: 'error' | 'warning';
  readonly why: string;
  readonly expected: string;
}

/** What a strategy cannot cure. `auto` is no behaviour: then the probe decides, on the real balancer. */
export const strategyBehaviour: Rule = {
  name: 'strategy-behaviour',
  holds: 'the strategy cures what the balancer is said to do with a master that dials it',
  codes: ['SPEC_STRATEGY_BEHAVIOUR'],
  reads: ['strategy', 'balancer', 'nodes'],
  check({ spec }) {
    const hairpin = spec.balancer?.hairpin ?? 'auto';
    const misfit = hairpin === 'auto' ? undefined : misfitOf(spec.strategy, hairpin, spec);
    if (misfit === undefined) return [];
    return [
      {
        at: ['spec', 'strategy'],
        code: 'SPEC_STRATEGY_BEHAVIOUR',
        severity: misfit.severity,
        problem: misfit.why,
        expected: misfit.expected,
        hint: '`balancer.hairpin: auto` measures what the balancer does; `hairpin probe` shows it',
      },
    ];
  },
};

function misfitOf(strategy: StrategySpec, hairpin: HairpinBehaviour, spec: Spec): Misfit | undefined {
  const masters = spec.nodes.filter((node) => node.role === 'control-plane').length;
  const workers = spec.nodes.length - masters;
  const share = masters === 1 ? 'every connection' : `1 connection in ${masters}`;
  if (strategy.name === 'direct') return directWith(hairpin, share);
  if (hairpin === 'one-arm') return oneArmWith(strategy, workers);
  return undefined;
}

function directWith(hairpin: HairpinBehaviour, share: string): Misfit | undefined {
  switch (hairpin) {
    case 'works':
      return undefined;
    case 'drop':
      return {
        severity: 'error',
        why: `direct leaves masters to a balancer that drops what they send to themselves: each loses ${share}, the first one all`,
        expected: 'steer, bind-vip, hosts or keepalived-haproxy',
      };
    case 'local':
      return {
        severity: 'error',
        why: 'direct leaves masters to a VIP that is their own address: a master that joins reaches only its own apiserver, which does not run yet',
        expected: 'steer, hosts or bind-vip',
      };
    case 'one-arm':
      return {
        severity: 'error',
        why: "direct leaves nodes of the balancer's subnet without an answer: servers reply to them past the balancer",
        expected: 'steer with `workers: true`',
      };
  }
}

/** Class C breaks every client of the servers' subnet, so what only helps masters is not enough. */
function oneArmWith(strategy: StrategySpec, workers: number): Misfit | undefined {
  const expected = 'steer with `workers: true`';
  if (strategy.name === 'bind-vip') {
    const why =
      'behind a one-arm balancer a master that joins with bind-vip gets no answer: servers reply to it past the balancer';
    return { severity: 'error', why, expected };
  }
  const helpsWorkers = strategy.name === 'auto' || (strategy.name === 'steer' && strategy.workers);
  if (helpsWorkers || workers === 0) return undefined;
  const why = `behind a one-arm balancer workers in its subnet get no answer, and ${strategy.name} does nothing for them`;
  return { severity: 'warning', why, expected };
}
