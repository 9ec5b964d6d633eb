import { originallyTo, pinConntrack } from '../../render/nftables/match.ts';
import type { Chain, Table } from '../../render/nftables/table.ts';
import type { Family } from '../../std/address.ts';
import { type BalancerdConfig, familiesOf, tableName } from './config.ts';

/** The chains that swallow everything while the balancer is off, for one family. */
export type PowerChains = (family: Family) => readonly Chain[];

/**
 * Power off is silence in both directions: packets to the front end vanish, and so do those of established connections,
 * whose replies still cross this namespace. Before NAT (priority −100), after connection tracking (−200).
 */
export function powerRules(config: BalancerdConfig, power: 'on' | 'off'): PowerChains {
  return (family) => {
    const vips = config.vips.filter((vip) => vip.family === family);
    const rules = power === 'on' ? [] : [`${originallyTo(family, vips)} drop`];
    return [
      { name: 'power', hook: { type: 'filter', hook: 'prerouting', priority: -160 }, rules },
      { name: 'power-out', hook: { type: 'filter', hook: 'output', priority: -160 }, rules },
    ];
  };
}

/** A proxy needs no rules of its own; only the power switch, and connection tracking so that the switch finds flows. */
export function proxyTables(config: BalancerdConfig, power: PowerChains): readonly Table[] {
  return familiesOf(config).map((family) => ({
    family,
    name: tableName,
    chains: [
      { name: 'pin', hook: { type: 'filter', hook: 'prerouting', priority: -150 }, rules: [pinConntrack] },
      ...power(family),
    ],
  }));
}
