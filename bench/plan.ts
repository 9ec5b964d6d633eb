/**
 * `npm run bench:plan`: spec and plan for 5,000 nodes, from the text of cluster.yaml on. Budget: 1 s and 300 MB (resident
 * set of the whole process at its highest). Exits with 1 when a budget is missed; `--json` prints numbers for programs.
 */
import { makePlan } from '../src/plan/make-plan.ts';
import { readSpec } from '../src/spec/read-spec.ts';

const nodes = 5000;
const budget = { ms: 1000, mebibytes: 300 };

const lines = Array.from({ length: nodes }, (_, i) => {
  const [name, role] = i < 5 ? [`m${i + 1}`, 'control-plane'] : [`w${i - 4}`, 'worker'];
  return `    - { name: ${name}, role: ${role}, address: 10.${8 + Math.floor(i / 65_000)}.${Math.floor(i / 250)}.${(i % 250) + 1} }`;
});
const text = `apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: large }
spec:
  kubernetes: { version: v1.37.2, podSubnet: 100.64.0.0/10, serviceSubnet: 192.168.0.0/16 }
  endpoint: { address: 10.200.0.1, port: 6443 }
  balancer: { hairpin: drop }
  strategy: { steer: { workers: true } }
  nodes:
${lines.join('\n')}
`;

const start = performance.now();
const cpuStart = process.threadCpuUsage();
const read = readSpec(text, { file: 'large.yaml', products: {} });
if (!read.ok) throw new Error(JSON.stringify(read.diagnostics.slice(0, 3), undefined, 2));
const afterSpec = performance.now();
const facts = { at: '', ms: 0, nodes: [], duplicates: [] };
const plan = makePlan({
  spec: read.spec,
  facts,
  measured: 'drop',
  acceptUnsafe: new Set(),
  program: '0123456789abcdef',
});
const end = performance.now();
const cpu = process.threadCpuUsage(cpuStart);

const result = {
  nodes,
  steps: plan.steps.length,
  specMs: Math.round(afterSpec - start),
  planMs: Math.round(end - afterSpec),
  totalMs: Math.round(end - start),
  cpuMs: Math.round((cpu.user + cpu.system) / 1000),
  mebibytes: Math.round(process.resourceUsage().maxRSS / 1024),
};
const isFine = result.totalMs <= budget.ms && result.mebibytes <= budget.mebibytes;
process.stdout.write(
  process.argv.includes('--json')
    ? `${JSON.stringify({ ...result, budget, ok: isFine })}\n`
    : `${nodes} nodes: spec ${result.specMs} ms + plan ${result.planMs} ms = ${result.totalMs} ms (budget ${budget.ms}; ${result.cpuMs} ms of CPU), ${result.mebibytes} MiB at most (budget ${budget.mebibytes}), ${result.steps} steps: ${isFine ? 'ok' : 'MISSED'}\n`,
);
process.exitCode = isFine ? 0 : 1;
