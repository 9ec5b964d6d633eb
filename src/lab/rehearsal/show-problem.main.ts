/**
 * What `make demo` runs: boots the lab and shows, with real kubeadm, what breaks behind a balancer that cannot hairpin.
 *
 * usage: show-problem.main.ts [--keep] [--lab NAME] [--kubernetes VERSION] [--balancer NAME]
 */
import { parseArgs } from 'node:util';
import { OperatorError } from '../../errors/operator-error.ts';
import { createReporter } from '../../report/create.ts';
import { diagnoseHost, requireFit } from '../doctor/diagnose.ts';
import { startLab } from '../runtime/start-lab.ts';
import { stopLab } from '../runtime/stop-lab.ts';
import { parseLabFlags } from '../spec/lab-flags.ts';
import { explainProblem, showProblem } from './show-problem.ts';

const { values } = parseArgs({
  options: {
    keep: { type: 'boolean', default: false },
    lab: { type: 'string', default: 'demo' },
    kubernetes: { type: 'string' },
    balancer: { type: 'string', default: 'alibaba-clb' },
  },
});
const reporter = createReporter(process.stderr, { json: false, color: process.stderr.isTTY });
const stop = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) {
  process.once(name, () => stop.abort(new OperatorError('INTERRUPTED', `Interrupted by ${name}`)));
}
const opts = { emit: reporter.emit, signal: stop.signal };

try {
  const { keep, lab: name, ...flags } = values;
  const spec = parseLabFlags({ lab: name, tier: 'node', ...flags });
  const nodes = spec.machines.filter(({ role }) => role !== 'client').length;
  requireFit(await diagnoseHost('node', { signal: stop.signal, nodes, kubernetes: spec.kubernetes }));
  const lab = await startLab(spec, { ...opts, onlyThis: true });
  try {
    const problem = await showProblem(lab, opts);
    reporter.close();
    process.stdout.write(`\n${explainProblem(problem)}`);
  } finally {
    if (!keep) await stopLab(name);
  }
  process.stdout.write(
    keep
      ? `\n  The lab is still there:  ssh -F ${lab.cx.paths.sshConfig} m1\n  Take it down with:       hairpin lab down --lab ${name}\n`
      : '\n  The lab is down again. Keep it next time: --keep\n',
  );
} catch (error) {
  reporter.close();
  if (!(error instanceof OperatorError)) throw error;
  process.stderr.write(`${error.message}\n  hint: ${error.hint ?? 'hairpin lab doctor'}\n  code: ${error.code}\n`);
  process.exitCode = error.exitCode;
}
