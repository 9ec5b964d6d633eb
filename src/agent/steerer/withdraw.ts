import { familyWords } from '../../render/nftables/family.ts';
import { renderWithdrawal, steerTable } from '../../render/nftables/steer.ts';
import type { Family } from '../../std/address.ts';
import { parseFlows } from './flows.ts';
import { parseListing, type SeenTable } from './listing.ts';
import { ourRoutes, removeRoute } from './network.ts';
import type { RunTool } from './run-tool.ts';

/**
 * Withdraws steering for good, after the agent's units were stopped: new connections go to the balancer at once, our routes
 * go, and a table goes as soon as no flow needs its translation; until then it stays, with nothing in it that has an effect.
 * Gives lines for the operator. Throws when nft fails.
 */
export async function withdrawSteering(run: RunTool): Promise<readonly string[]> {
  const said: string[] = [];
  for (const family of [4, 6] as const) {
    const { table } = familyWords(family);
    const listed = await run(['nft', '-j', 'list', 'table', table, steerTable]);
    if (listed.code === 127) throw new Error('nft is not installed: there is nothing to withdraw with');
    if (listed.code === 0) said.push(await withdraw(family, parseListing(listed.stdout), run));
    for (const endpoint of await ourRoutes(family, run)) {
      if (await removeRoute(endpoint, run)) said.push(`the route to ${endpoint.text} is removed`);
    }
  }
  return said.length === 0 ? ['there was nothing of hairpin in netfilter or in the routes'] : said;
}

async function withdraw(family: Family, seen: SeenTable, run: RunTool): Promise<string> {
  const { table } = familyWords(family);
  const nft = async (text: string) => {
    const ran = await run(['nft', '-f', '-'], { stdin: text });
    if (ran.code !== 0) throw new Error(`nft refused to withdraw steering of IPv${family}: ${ran.stderr}`);
  };
  await nft(renderWithdrawal(family));
  const flows = await translatedFlows(family, seen, run);
  const name = `nft delete table ${table} ${steerTable}`;
  if (flows === 0) {
    await nft(`delete table ${table} ${steerTable}\n`);
    return `the steering table of IPv${family} is removed`;
  }
  // Deleting the last NAT hook of a namespace ends the translation of flows that are alive (facts: load-balancers.md §4.3).
  return flows === undefined
    ? `the steering table of IPv${family} steers nothing and stays: conntrack is not installed, so nobody knows whether flows need it; it goes with the next reboot, or with: ${name}`
    : `the steering table of IPv${family} steers nothing and stays for ${flows} connections that are still open; it goes with the next reboot, or with: ${name}`;
}

/** How many flows to the endpoints are translated; `undefined` when nobody knows. */
async function translatedFlows(family: Family, seen: SeenTable, run: RunTool): Promise<number | undefined> {
  const listed = await Promise.all(
    seen.endpoints.map((a) =>
      run(
        [
          'conntrack',
          '-L',
          '--family',
          family === 4 ? 'ipv4' : 'ipv6',
          '--proto',
          'tcp',
          '--orig-dst',
          a.text,
          '--dst-nat',
          // The kernel picks these by itself, which makes a large table quick to look through (reset.ts).
          '--status',
          'ASSURED',
          '--state',
          'ESTABLISHED',
        ],
        { timeoutMs: 10_000 },
      ),
    ),
  );
  if (listed.some(({ code }) => code !== 0)) return undefined;
  return listed.reduce((sum, { stdout }) => sum + parseFlows(stdout).length, 0);
}
