/**
 * Captures what `init --from-cluster` sees of a real cluster, as a fixture:
 * `node scripts/capture-evidence.ts MASTER SSH_CONFIG > test/fixtures/adopt/NAME.json`
 */
import { openNodes } from '../src/node/nodes.ts';
import { collectEvidence, type MasterProbe } from '../src/spec/init/evidence.ts';

const [master, configFile] = process.argv.slice(2);
if (master === undefined || configFile === undefined) {
  console.error('usage: scripts/capture-evidence.ts MASTER SSH_CONFIG');
  process.exit(64);
}

await using stack = new AsyncDisposableStack();
const probe = async (name: string, address: string): Promise<MasterProbe> => {
  const nodes = stack.use(await openNodes([{ name, address, user: 'root', configFile }]));
  const node = nodes.byName.get(name);
  if (node === undefined) throw new RangeError(`no node ${name}`);
  return async (argv) => await node.probe(argv);
};
const evidence = await collectEvidence(await probe(master, master), ({ name, address }) => {
  const opened = probe(name, address);
  return async (argv, opts) => await (await opened)(argv, opts);
});
console.log(JSON.stringify(evidence, undefined, 2));
