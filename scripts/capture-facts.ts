/**
 * Captures fixtures for the facts' parsers from real nodes: what the facts script printed, and what was asked.
 *
 *     node scripts/capture-facts.ts cluster.yaml test/fixtures/facts NAME
 *
 * writes NAME-m1.txt, NAME-m2.txt, … and NAME.ask.json. No private key is ever in them: the script prints none.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { askFor, openSession } from '../src/apply/flow/session.ts';
import { factsScript } from '../src/facts/script.ts';
import { silent } from '../src/report/event.ts';

const [file, directory, name] = process.argv.slice(2);
if (file === undefined || directory === undefined || name === undefined) {
  console.error('usage: scripts/capture-facts.ts CLUSTER_YAML DIRECTORY NAME');
  process.exit(64);
}
await mkdir(directory, { recursive: true });
await using session = await openSession({ file, emit: silent });
for (const node of session.spec.nodes) {
  const ask = askFor(session.spec, node);
  const result = await session.nodes.get(node.name)?.probe(['sh', '-c', factsScript(ask), 'hairpin-facts']);
  await writeFile(join(directory, `${name}-${node.name}.txt`), result?.stdout ?? '');
  await writeFile(
    join(directory, `${name}.ask.json`),
    `${JSON.stringify({ ...ask, nodeAddress: undefined }, undefined, 2)}\n`,
  );
  console.log(`${name}-${node.name}: ${result?.stdout.length} bytes`);
}
