import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatDiagnostic } from '../errors/diagnostic.ts';
import { BadSpecError, exitCodes, OperatorError } from '../errors/operator-error.ts';
import { agentPaths } from './config/config.ts';

// The agent's processes without the rest of the command line: `agent.main.ts VERB --config PATH [--path NAME=PATH]…`.
// Units start these verbs through `hairpin agent VERB`; tests start them here.

interface VerbOptions {
  readonly configFile: string;
  readonly program: string;
  readonly paths: Readonly<Record<string, string>>;
}

/** Each loads only what it needs. */
const verbs: Readonly<Record<string, (opts: VerbOptions) => Promise<void>>> = {
  run: async (opts) => (await import('./prober/run.ts')).runProber(opts),
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: 'string', default: agentPaths.config },
    /** `steererSocket=/tmp/x.sock`: one of `agentPaths` somewhere else, for tests. */
    path: { type: 'string', multiple: true, default: [] },
  },
});
const verb = verbs[positionals[0] ?? ''];
if (verb === undefined) {
  console.error(`agent.main.ts ${Object.keys(verbs).join('|')} --config PATH`);
  process.exitCode = exitCodes.usage;
} else {
  const paths = Object.fromEntries(
    values.path.map((text) => [text.split('=')[0] ?? '', text.slice(text.indexOf('=') + 1)]),
  );
  try {
    await verb({ configFile: values.config, program: version(), paths });
    process.exit(0);
  } catch (error) {
    process.exitCode = exitCodes.failed;
    if (error instanceof BadSpecError) {
      process.exitCode = exitCodes.badSpec;
      for (const diagnostic of error.diagnostics) console.error(formatDiagnostic(diagnostic));
    } else if (error instanceof OperatorError) {
      process.exitCode = error.exitCode;
      const cause = error.cause instanceof Error ? `: ${error.cause.message}` : '';
      console.error(`${error.message}${cause}${error.hint === undefined ? '' : `\n    ${error.hint}`}   ${error.code}`);
    } else {
      console.error(error);
    }
    process.exit();
  }
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
