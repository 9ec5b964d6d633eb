import { familyWords } from '../../render/nftables/family.ts';
import { newConnection, pinConntrack, toAddresses } from '../../render/nftables/match.ts';
import { spreadToChains } from '../../render/nftables/spread.ts';
import type { Chain, Table } from '../../render/nftables/table.ts';
import type { Family } from '../../std/address.ts';
import {
  type BackendConfig,
  type BalancerdConfig,
  familiesOf,
  idleSeconds,
  inFamily,
  steeringMark,
  tableName,
} from './config.ts';
import type { PowerChains } from './power.ts';
import { isIn, type Rotation } from './rotation.ts';

/**
 * `local`: packets keep the front end's address and are sent to a backend by policy routing (a mark and a routing table
 * per backend), because the address is also one of the backend's own.
 *
 * Which flow is whose is kept in one set per backend, as IPVS keeps a connection table, and not in connection tracking:
 * with direct server return the replies never come by here, and for the tracker an ACK after half a handshake is invalid.
 */
export function steeringTables(config: BalancerdConfig, rotation: Rotation, power: PowerChains): readonly Table[] {
  return familiesOf(config).map((family) => {
    const vips = config.vips.filter((vip) => vip.family === family);
    const words = familyWords(family);
    const flow = `${words.header} saddr . tcp sport`;
    const backends = config.backends
      .map((backend, index) => ({ backend, mark: steeringMark(index) }))
      .filter(({ backend }) => inFamily(backend.addresses, family) !== undefined);
    const toVip = toAddresses(family, vips, config.port);
    return {
      family,
      name: tableName,
      counters: backends.map(({ backend }) => backend.name),
      sets: backends.map(({ backend }) => ({
        name: flowSet(backend.name),
        body: `type ${words.addressType} . inet_service; flags dynamic,timeout; size 65535; timeout ${idleSeconds(config)}s;`,
      })),
      chains: [
        { name: 'pin', hook: { type: 'filter', hook: 'prerouting', priority: -150 }, rules: [pinConntrack] },
        ...power(family),
        ...backends.flatMap(({ backend, mark }) => backendChains(backend, mark, flow, backends)),
        schedule(config, rotation, backends, flow, family),
        {
          name: 'steer',
          hook: { type: 'filter', hook: 'prerouting', priority: -140 },
          rules: [`${toVip} goto schedule`],
        },
        {
          name: 'steer-out',
          hook: { type: 'route', hook: 'output', priority: -140 },
          rules: [`${toVip} goto schedule`],
        },
      ],
    };
  });
}

/** The set that holds a backend's flows: client address and port. Flushing it resets them with their next packet. */
export function flowSet(backend: string): string {
  return `flows-${backend}`;
}

interface Marked {
  readonly backend: BackendConfig;
  readonly mark: number;
}

function backendChains(backend: BackendConfig, mark: number, flow: string, all: readonly Marked[]): readonly Chain[] {
  const set = flowSet(backend.name);
  return [
    {
      name: `to-${backend.name}`,
      rules: [
        `counter name ${backend.name}`,
        // A client port that is used again must not be found in the set of the backend that had it before.
        ...all
          .filter((other) => other.backend.name !== backend.name)
          .map((other) => `delete @${flowSet(other.backend.name)} { ${flow} }`),
        `update @${set} { ${flow} } meta mark set ${mark}`,
      ],
    },
    {
      name: `keep-${backend.name}`,
      rules: [
        `tcp flags & (fin|rst) == 0 update @${set} { ${flow} } meta mark set ${mark} accept`,
        `update @${set} { ${flow} timeout 10s } meta mark set ${mark} accept`,
      ],
    },
  ];
}

/** Flows of an ejected backend go on as long as they are in its set, but its lost SYNs are not sent to it again. */
function schedule(
  config: BalancerdConfig,
  rotation: Rotation,
  backends: readonly Marked[],
  flow: string,
  family: Family,
): Chain {
  const targets = rotation.targets
    .filter(({ target }) => backends.some(({ backend }) => backend.name === target))
    .map(({ target, weight }) => ({ target: `to-${target}`, weight }));
  const by = config.balancer.scheduling === 'source-hash' ? 'source' : 'turn';
  return {
    name: 'schedule',
    rules: [
      ...backends.map(({ backend: { name } }) =>
        isIn(rotation, name)
          ? `${flow} @${flowSet(name)} goto keep-${name}`
          : `tcp flags & (fin|syn|rst|ack) != syn ${flow} @${flowSet(name)} goto keep-${name}`,
      ),
      ...(targets.length === 0 ? [] : [`${newConnection} ${spreadToChains(family, by, targets)}`]),
      'meta l4proto tcp reject with tcp reset',
    ],
  };
}
