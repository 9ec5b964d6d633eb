/**
 * `make demo`: the main job, with the same commands that a person would type. Real nodes behind a balancer that drops
 * hairpins (the numbers of Alibaba CLB); measure, plan, bring up, look, and prove that every client class gets through.
 * The lab stays, so that there is something to try afterwards.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { labPaths } from '../src/lab/paths.ts';
import { formatDuration } from '../src/std/duration.ts';

const root = join(import.meta.dirname, '..');
const hairpin = join(root, 'bin/hairpin');
const lab = 'demo';
const spec = labPaths(lab).clusterYaml;
const endpoint = '172.16.105.26:6443';
const started = performance.now();
// Ctrl-C reaches the child too, which cleans up; the demo only has to wait for it.
process.on('SIGINT', () => undefined);

say('A lab: three masters, a worker and an outside client behind a balancer that cannot hairpin.');
await run(['lab', 'down', '--lab', lab]);
await run(['lab', 'up', '--lab', lab, '--tier', 'node', '--balancer', 'alibaba-clb']);
say('What does this balancer do with a master that dials it? No Kubernetes runs yet.');
await run(['probe', '-f', spec], [0, 2]);
say('What would be done, and who would dial what.');
await run(['plan', '-f', spec], [2]);
say('Do it.');
const upStarted = performance.now();
await run(['up', '-f', spec, '--yes']);
const upMs = performance.now() - upStarted;
say('Look at it.');
await run(['status', '-f', spec]);
say(`The proof, from outside as well: new connections to ${endpoint}, one after the other.`);
for (const node of ['m1', 'm2', 'm3', 'w1', 'c1']) await prove(node);

process.stdout.write(`
The cluster was up in ${formatDuration(upMs)}; the whole demo took ${formatDuration(performance.now() - started)}. The lab is still running. Try:

  bin/hairpin lab exec --lab ${lab} m1 -- kubectl --kubeconfig /etc/kubernetes/admin.conf get nodes
  bin/hairpin lab break --lab ${lab} silent m2      a master falls silent
  bin/hairpin check -f ${spec}
  bin/hairpin lab heal --lab ${lab}
  bin/hairpin up -f ${spec}                         plans nothing: resume is re-plan
  bin/hairpin lab down --lab ${lab}                 takes everything away
`);

/** 60 new TLS connections in one shell on the node; any HTTP answer counts. */
async function prove(node: string): Promise<void> {
  const script = `ok=0; for i in $(seq 60); do curl -sk -o /dev/null --max-time 2 https://${endpoint}/readyz && ok=$((ok+1)); done; echo "  ${node}  $ok of 60 answered"; [ $ok = 60 ]`;
  await run(['lab', 'exec', '--lab', lab, node, '--', 'sh', '-c', script], [0], { quiet: true });
}

function say(text: string): void {
  process.stdout.write(`\n${text}\n`);
}

/** Runs one command of ours as it would be typed; ends the demo when its exit code is not one of `fine`. */
async function run(
  argv: readonly string[],
  fine: readonly number[] = [0],
  opts: { quiet?: boolean } = {},
): Promise<void> {
  if (opts.quiet !== true) process.stdout.write(`\n$ hairpin ${argv.join(' ')}\n`);
  const child = spawn(hairpin, argv, { stdio: 'inherit' });
  const code = await new Promise<number>((resolve) => {
    child.on('error', () => resolve(127));
    child.on('close', (exit) => resolve(exit ?? 130));
  });
  if (fine.includes(code)) return;
  process.stderr.write(
    `\nThe demo stops: \`hairpin ${argv.join(' ')}\` ended with ${code}.\nTake the lab down with: bin/hairpin lab down --lab ${lab}\n`,
  );
  process.exit(1);
}
