/**
 * `npm run bench:spec`: how long it takes to read and judge a cluster.yaml of 5,000 nodes (goal: ≤ 0.5 s), in both styles
 * that people write, and one in which every address is wrong, so that every node has something to say.
 */
import { readSpec } from '../src/spec/read-spec.ts';

const count = Number(process.argv[2] ?? 5000);
const head = `apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: large }
spec:
  kubernetes: { version: v1.37.2, podSubnet: 10.0.0.0/10 }
  endpoint: { address: 172.16.105.26 }
  strategy: steer
  nodes:
`;

const address = (i: number) => `172.20.${i >> 8}.${i & 255}`;
const role = (i: number) => (i < 3 ? 'control-plane' : 'worker');
const flow = (i: number) => `    - { name: n${i}, role: ${role(i)}, address: ${address(i)} }\n`;
const block = (i: number) => `    - name: n${i}\n      role: ${role(i)}\n      address: ${address(i)}\n`;
const twice = (i: number) => `    - { name: n${i % 7}, role: ${role(i)}, address: ${address(i % 5)} }\n`;
const typo = (i: number) => `    - { name: n${i}, rol: ${role(i)}, address: ${address(i)} }\n`;

const cases = { flow, block, 'all duplicates': twice, 'a typo in each': typo };
console.log(`${count} nodes; best and median of 5 runs; goal 500 ms\n`);
for (const [name, line] of Object.entries(cases)) {
  const text = head + Array.from({ length: count }, (_, i) => line(i)).join('');
  const runs: number[] = [];
  const cpuRuns: number[] = [];
  let outcome = '';
  for (let run = 0; run < 5; run += 1) {
    const [start, cpu] = [performance.now(), process.cpuUsage()];
    const result = readSpec(text, { file: 'cluster.yaml', products: {} });
    runs.push(performance.now() - start);
    cpuRuns.push(process.cpuUsage(cpu).user / 1000);
    outcome = result.ok ? `${result.spec.nodes.length} nodes` : `${result.diagnostics.length} problems`;
  }
  const sorted = runs.toSorted((a, b) => a - b);
  const [best = 0, , median = 0] = sorted;
  const first = runs[0] ?? 0;
  console.log(
    `${name.padEnd(16)} first ${ms(first)}  best ${ms(best)}  median ${ms(median)}  (user CPU at best ${ms(Math.min(...cpuRuns))})   ${(text.length / 1024).toFixed(0)} KiB, ${outcome}`,
  );
}
console.log(`\nmemory ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MiB`);

function ms(value: number): string {
  return `${value.toFixed(0)} ms`.padStart(8);
}
