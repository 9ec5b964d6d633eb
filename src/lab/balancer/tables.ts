import { renderChainRules, renderTable, type Table } from '../../render/nftables/table.ts';
import type { BalancerdConfig } from './config.ts';
import { natTables } from './nat-tables.ts';
import { powerRules, proxyTables } from './power.ts';
import type { BackendState, Rotation } from './rotation.ts';
import { steeringTables } from './steering-tables.ts';

/** What the emulator's data plane depends on, apart from its configuration. */
export interface BalancerState {
  readonly backends: readonly BackendState[];
  readonly rotation: Rotation;
  /** `off`: the balancer is dead; its addresses swallow every packet. */
  readonly power: 'on' | 'off';
}

/** The whole ruleset as one transaction that can be applied over an earlier one without hurting live flows. */
export function wholeRuleset(config: BalancerdConfig, state: BalancerState): string {
  return tables(config, state)
    .map((table) => renderTable(table))
    .join('');
}

/** The transaction of a transition: only the chains whose rules depend on the state. */
export function transitionRuleset(config: BalancerdConfig, state: BalancerState): string {
  return tables(config, state)
    .map((table) =>
      renderChainRules(
        table.family,
        table.name,
        table.chains.filter((chain) => stateful.has(chain.name)),
      ),
    )
    .join('');
}

const stateful: ReadonlySet<string> = new Set(['schedule', 'power', 'power-out']);

function tables(config: BalancerdConfig, state: BalancerState): readonly Table[] {
  const power = powerRules(config, state.power);
  switch (config.balancer.behaviour) {
    case 'drop':
    case 'works':
    case 'one-arm':
      return natTables(config, state.rotation, power);
    case 'local':
      return steeringTables(config, state.rotation, power);
    case 'proxy':
      return proxyTables(config, power);
  }
}
