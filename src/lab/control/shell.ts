import { spawn } from 'node:child_process';

/**
 * Runs one short command and gives its output; throws with its standard error when it fails. For daemons of the lab,
 * which start in a few tens of milliseconds and therefore import nothing big.
 */
export async function sh(
  argv: readonly string[],
  opts: { stdin?: string; ok?: readonly number[] } = {},
): Promise<string> {
  const [command = '', ...args] = argv;
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    stderr += chunk;
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(opts.stdin ?? '');
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve(exit ?? 128));
  });
  if (code !== 0 && !(opts.ok ?? []).includes(code)) {
    throw new Error(`${argv.join(' ')} ended with ${code}: ${stderr.trim()}`);
  }
  return stdout;
}
