import type { Address, Family } from '../../std/address.ts';

export interface Counting {
  readonly table: string;
  /** Addresses of the node itself, of all nodes, and of the balancer. */
  readonly own: readonly Address[];
  readonly nodes: readonly Address[];
  readonly dialled: readonly Address[];
  /** Source ports of the probe's connections, on all nodes. */
  readonly firstPort: number;
  readonly lastPort: number;
}

/**
 * The table that sees what became of the probe's connections, in nftables' own words. It only looks: every rule adds to
 * a set. Before conntrack and before the kernel's check of source addresses (which drops what came back), so a packet
 * is seen even when nothing else ever hears of it. Ports instead of counters: a SYN that is sent again counts once.
 */
export function countingRules(counting: Counting): string {
  const { table, firstPort, lastPort } = counting;
  const ports = `${firstPort}-${lastPort}`;
  const syn = 'tcp flags & (syn | ack) == syn';
  const synAck = 'tcp flags & (syn | ack) == (syn | ack)';
  const families = ([4, 6] as const).filter((family) => of(counting.nodes, family) !== undefined);
  const pre = families.flatMap((family) => {
    const ip = family === 4 ? 'ip' : 'ip6';
    const own = of(counting.own, family);
    const others = of(
      counting.nodes.filter((a) => !counting.own.some((mine) => mine.text === a.text)),
      family,
    );
    return [
      ...(own === undefined
        ? []
        : [
            `iifname != "lo" ${syn} tcp sport ${ports} ${ip} saddr ${own} ${ip} daddr ${own} add @returned { tcp sport }`,
            `iifname != "lo" ${syn} tcp sport ${ports} ${ip} saddr ${own} ${ip} daddr ${own} add @arrived { tcp dport }`,
          ]),
      ...(others === undefined
        ? []
        : [
            `iifname != "lo" ${synAck} tcp dport ${ports} ${ip} saddr ${others} add @stray { tcp dport }`,
            `iifname != "lo" ${syn} tcp sport ${ports} ${ip} saddr ${others} add @arrived { tcp dport }`,
          ]),
      `iifname != "lo" ${syn} ${ip} saddr != ${of(counting.nodes, family)} add @outside { tcp dport }`,
    ];
  });
  const post = ([4, 6] as const).flatMap((family) => {
    const dialled = of(counting.dialled, family);
    const ip = family === 4 ? 'ip' : 'ip6';
    return dialled === undefined
      ? []
      : [`oifname != "lo" ${syn} tcp sport ${ports} ${ip} daddr ${dialled} add @left { tcp sport }`];
  });
  const sets = ['returned', 'stray', 'arrived', 'outside', 'left'];
  return [
    `table inet ${table} {`,
    ...sets.map((name) => `  set ${name} { type inet_service; flags dynamic; size 4096; }`),
    '  chain pre {',
    '    type filter hook prerouting priority -350; policy accept;',
    ...pre.map((rule) => `    ${rule}`),
    '  }',
    '  chain post {',
    '    type filter hook postrouting priority 300; policy accept;',
    ...post.map((rule) => `    ${rule}`),
    '  }',
    '}',
    '',
  ].join('\n');
}

export interface Counted {
  readonly returned: ReadonlySet<number>;
  readonly stray: ReadonlySet<number>;
  readonly left: ReadonlySet<number>;
  readonly arrived: ReadonlySet<number>;
  readonly outside: ReadonlySet<number>;
}

/** Reads `nft -j list table inet TABLE`. */
export function parseCounted(text: string): Counted {
  const { nftables } = JSON.parse(text) as { nftables: { set?: { name: string; elem?: unknown[] } }[] };
  const of_ = (name: string): ReadonlySet<number> => {
    const elements = nftables.find((entry) => entry.set?.name === name)?.set?.elem ?? [];
    return new Set(elements.map(elementValue));
  };
  return {
    returned: of_('returned'),
    stray: of_('stray'),
    left: of_('left'),
    arrived: of_('arrived'),
    outside: of_('outside'),
  };
}

/** `23000`, or `{"elem": {"val": 23000, …}}` when the element has more to it. */
function elementValue(element: unknown): number {
  if (typeof element === 'number') return element;
  return (element as { elem: { val: number } }).elem.val;
}

function of(addresses: readonly Address[], family: Family): string | undefined {
  const texts = [...new Set(addresses.filter((a) => a.family === family).map((a) => a.text))];
  return texts.length === 0 ? undefined : `{ ${texts.join(', ')} }`;
}
