import { familyWords } from '../../render/nftables/family.ts';
import { sh } from '../control/shell.ts';
import { type BalancerdConfig, familiesOf, inFamily, tableName } from './config.ts';
import { establishedByBackend } from './conntrack-list.ts';
import type { Engine, Usage } from './engine.ts';
import { flowSet } from './steering-tables.ts';
import { type BalancerState, transitionRuleset, wholeRuleset } from './tables.ts';

/** Balancing by the kernel: all behaviours except `proxy`. One nft transaction per transition, none in between. */
export function nftEngine(config: BalancerdConfig): Engine {
  const families = familiesOf(config);
  const steers = config.balancer.behaviour === 'local';
  const nft = async (text: string) => void (await sh(['nft', '-f', '-'], { stdin: text }));
  return {
    start: (state: BalancerState) => nft(wholeRuleset(config, state)),
    apply: (state: BalancerState) => nft(transitionRuleset(config, state)),
    async resetFlows(name) {
      for (const family of families) {
        if (steers) {
          await nft(`flush set ${familyWords(family).table} ${tableName} ${flowSet(name)}\n`);
          continue;
        }
        const address = inFamily(config.backends.find((b) => b.name === name)?.addresses ?? [], family);
        for (const vip of config.vips.filter((v) => v.family === family)) {
          if (address === undefined) continue;
          // Exit 1 means that there was none.
          await sh([...conntrack('-D', family), '--orig-dst', vip.text, '--reply-src', address.text], { ok: [1] });
        }
      }
    },
    async usage() {
      const counted = await connectionCounts(families.map((f) => familyWords(f).table));
      const open = steers ? await flowsInSets(config) : await flowsInConntrack(config);
      return new Map(
        config.backends.map(({ name }): [string, Usage] => [
          name,
          { connections: counted.get(name) ?? 0, flows: open.get(name) ?? 0 },
        ]),
      );
    },
    // The rules stay: a balancer's data plane outlives its control plane, and the namespace takes them with it.
    stop: async () => undefined,
  };
}

function conntrack(op: '-L' | '-D', family: 4 | 6): readonly string[] {
  return ['conntrack', op, '-f', family === 4 ? 'ipv4' : 'ipv6', '-p', 'tcp'];
}

async function connectionCounts(tables: readonly string[]): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const table of tables) {
    const listed = JSON.parse(await sh(['nft', '-j', 'list', 'counters', 'table', table, tableName])) as {
      nftables: { counter?: { name: string; packets: number } }[];
    };
    for (const { counter } of listed.nftables) {
      if (counter !== undefined) counts.set(counter.name, (counts.get(counter.name) ?? 0) + counter.packets);
    }
  }
  return counts;
}

async function flowsInConntrack(config: BalancerdConfig): Promise<Map<string, number>> {
  const flows = new Map<string, number>();
  for (const vip of config.vips) {
    const listed = await sh([...conntrack('-L', vip.family), '--orig-dst', vip.text], { ok: [1] });
    for (const [name, count] of establishedByBackend(listed, config.backends)) {
      flows.set(name, (flows.get(name) ?? 0) + count);
    }
  }
  return flows;
}

async function flowsInSets(config: BalancerdConfig): Promise<Map<string, number>> {
  const flows = new Map<string, number>();
  for (const family of familiesOf(config)) {
    for (const { name } of config.backends) {
      const argv = ['nft', '-j', 'list', 'set', familyWords(family).table, tableName, flowSet(name)];
      const listed = JSON.parse(await sh(argv)) as { nftables: { set?: { elem?: unknown[] } }[] };
      const count = listed.nftables.reduce((sum, { set }) => sum + (set?.elem?.length ?? 0), 0);
      flows.set(name, (flows.get(name) ?? 0) + count);
    }
  }
  return flows;
}
