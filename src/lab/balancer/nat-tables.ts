import { natTarget } from '../../render/nftables/family.ts';
import { newConnection, originallyTo, pinConntrack, toAddresses } from '../../render/nftables/match.ts';
import { spreadToChains } from '../../render/nftables/spread.ts';
import type { Chain, Table } from '../../render/nftables/table.ts';
import type { Family } from '../../std/address.ts';
import { type BackendConfig, type BalancerdConfig, familiesOf, inFamily, tableName } from './config.ts';
import type { PowerChains } from './power.ts';
import type { Rotation } from './rotation.ts';

/**
 * `drop`, `works` and `one-arm`: the destination is translated to a backend. Only `works` translates the source as well.
 *
 * Nothing here drops a hairpin: the backend's own kernel does (`drop`: its packet comes back with source = destination),
 * or the client's does (`one-arm`: the reply comes from an address that it never dialled).
 *
 * The refusal sits right after NAT: whatever still carries the front end's address then has no backend, be it a new
 * connection while nobody is healthy or a packet of a flow whose tracking entry was deleted to reset it.
 */
export function natTables(config: BalancerdConfig, rotation: Rotation, power: PowerChains): readonly Table[] {
  return familiesOf(config).map((family) => {
    const vips = config.vips.filter((vip) => vip.family === family);
    const backends = config.backends.filter((b) => inFamily(b.addresses, family) !== undefined);
    const toVip = toAddresses(family, vips, config.port);
    const own = inFamily(config.own, family);
    const snat = config.balancer.behaviour === 'works' && own !== undefined;
    return {
      family,
      name: tableName,
      counters: backends.map((b) => b.name),
      chains: [
        { name: 'pin', hook: { type: 'filter', hook: 'prerouting', priority: -150 }, rules: [pinConntrack] },
        ...power(family),
        ...backends.map((b) => toBackend(b, family)),
        schedule(config, rotation, backends, family),
        {
          name: 'pre',
          hook: { type: 'nat', hook: 'prerouting', priority: -100 },
          rules: [`${toVip} ${newConnection} goto schedule`],
        },
        {
          name: 'out',
          hook: { type: 'nat', hook: 'output', priority: -100 },
          rules: [`${toVip} ${newConnection} goto schedule`],
        },
        {
          name: 'post',
          hook: { type: 'nat', hook: 'postrouting', priority: 100 },
          rules: snat ? [`ct status dnat ${originallyTo(family, vips)} snat to ${own.text}`] : [],
        },
        {
          name: 'refuse',
          hook: { type: 'filter', hook: 'prerouting', priority: -90 },
          rules: [`${toVip} reject with tcp reset`],
        },
        {
          name: 'refuse-out',
          hook: { type: 'filter', hook: 'output', priority: 0 },
          rules: [`${toVip} reject with tcp reset`],
        },
      ],
    };
  });
}

function toBackend(backend: BackendConfig, family: Family): Chain {
  const address = inFamily(backend.addresses, family);
  if (address === undefined) throw new RangeError(`${backend.name} has no IPv${family} address`);
  return {
    name: `to-${backend.name}`,
    rules: [`meta l4proto tcp counter name ${backend.name} dnat to ${natTarget(address, backend.port)}`],
  };
}

function schedule(
  config: BalancerdConfig,
  rotation: Rotation,
  backends: readonly BackendConfig[],
  family: Family,
): Chain {
  const targets = rotation.targets
    .filter(({ target }) => backends.some((b) => b.name === target))
    .map(({ target, weight }) => ({ target: `to-${target}`, weight }));
  const by = config.balancer.scheduling === 'source-hash' ? 'source' : 'turn';
  return { name: 'schedule', rules: targets.length === 0 ? [] : [spreadToChains(family, by, targets)] };
}
