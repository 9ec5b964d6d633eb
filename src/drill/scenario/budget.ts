import type { Budget, ClientBudget } from '../judge/budget.ts';
import { type BalancerNumbers, predict } from '../matrix/predict.ts';
import type { ClientClass, VariantName } from '../matrix/variants.ts';
import type { Scenario } from './scenario.ts';

/** What predictions rest on: the strategy, and the balancer's intervals and thresholds. */
export interface Predictable {
  readonly variant: VariantName;
  readonly balancer: BalancerNumbers | undefined;
}

export interface BudgetedClient {
  readonly name: string;
  /** The node that it is on. */
  readonly on?: string | undefined;
}

/** What the measuring itself and a busy machine add; a tenth of a second of it is the interval of connections. */
const slackMs = 500;

/** Connections that a dying apiserver had accepted are lost with it (bench/failover.md: 1 of 401). */
const acceptedByTheDead = 2;

/**
 * Pure. What the scenario may cost each client: what intervals and thresholds allow, and no more; what a strategy that
 * steers promises is tight. Where nobody can reckon it, what the scenario itself says.
 */
export function budgetFor(
  scenario: Scenario,
  opts: {
    readonly predictable: Predictable | undefined;
    readonly clients: readonly BudgetedClient[];
    readonly masters: readonly string[];
    /** Of the first fault. */
    readonly target: string;
  },
): Budget {
  const { predictable, clients } = opts;
  if (predictable === undefined) return scenario.budget;
  const budgets = clients.flatMap((client): [string, ClientBudget][] => {
    const predicted = predict(predictable.variant, predictable.balancer, scenario.name, classOf(client, opts));
    if (predicted === undefined) return [];
    return [[client.name, budgetOf(scenario, predicted.allGoodMs, predictable.variant.startsWith('steer'))]];
  });
  return { ...scenario.budget, clients: { ...scenario.budget.clients, ...Object.fromEntries(budgets) } };
}

function budgetOf(scenario: Scenario, allGoodMs: number | 'until-healed', steered: boolean): ClientBudget {
  // Streams to an apiserver that went silent hang until client-go gives up, unless an agent resets them.
  const stuck = steered && allGoodMs !== 'until-healed' ? { stuck: 0 } : {};
  if (allGoodMs === 'until-healed') return {};
  if (allGoodMs > 0) return { allGoodAfterMs: allGoodMs + slackMs, ...stuck };
  return { failed: scenario.faults.includes('apiserver-killed') ? acceptedByTheDead : 0, ...stuck };
}

function classOf(
  { name, on }: BudgetedClient,
  { masters, target }: { readonly masters: readonly string[]; readonly target: string },
): ClientClass {
  if (on === undefined) return 'outside';
  const isPod = name !== on;
  if (on === target) return isPod ? 'own-pod' : 'own';
  if (masters.includes(on)) return 'other';
  return isPod ? 'worker-pod' : 'worker';
}
