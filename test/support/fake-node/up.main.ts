import { bringUp } from '../../../src/apply/flow/up.ts';
import { createReporter } from '../../../src/report/create.ts';
import { fakeSession } from './session.ts';

// `hairpin up --yes` on a fake cluster, as a process that can be killed: up.main.ts DIRECTORY.
const reporter = createReporter(process.stderr, { json: false, color: false });
try {
  const result = await bringUp({
    session: fakeSession(process.argv[2] ?? ''),
    emit: reporter.emit,
    signal: new AbortController().signal,
    confirm: () => Promise.resolve(true),
    tries: 2,
  });
  process.stdout.write(`${JSON.stringify({ changed: result.changed, checks: result.checks })}\n`);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? `${error.message}\n${String(error.cause)}` : String(error)}\n`);
  process.exitCode = 1;
}
