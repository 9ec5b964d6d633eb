import { connect, createServer, type Socket } from 'node:net';
import { isSea } from 'node:sea';
import { renderSteering, renderSteerTable } from '../../render/nftables/steer.ts';
import { address } from '../../std/address.ts';
import type { RunTool } from './run-tool.ts';

// RFC 5737: documentation addresses, here on the loopback of a namespace that nobody else sees.
const endpoint = address('192.0.2.9');
const dead = address('192.0.2.2');
const alive = address('192.0.2.3');
const port = 6443;
/** The client's kernel sends its SYN again after 1 s, after 2 more and after 4 more; each may find the new backend. */
const patienceMs = 7500;

/** After this the test is given up, by whoever runs it. */
export const holdTestMs = 30_000;

/** The argv that runs the test in a network namespace of its own; `unshare` needs CAP_SYS_ADMIN, or a user namespace. */
export function holdTestArgv(unshare: readonly string[]): readonly [string, ...string[]] {
  // The command that started this process, up to its verb: the executable, its bundle or daemon.main.ts of a checkout.
  const [, script = '', word] = process.argv;
  const self = [process.execPath, ...(isSea() ? [] : [script]), ...(isSea() || word === 'agent' ? ['agent'] : [])];
  return ['unshare', ...unshare, '--net', '--', ...self, 'hold-test'];
}

/** Reads what that printed; a text says why it gave no verdict. */
export function readHoldTest({ code, stdout, stderr }: Awaited<ReturnType<RunTool>>): boolean | string {
  if (code !== 0) return stderr === '' ? `exit code ${code}` : (stderr.split('\n').at(-1) ?? '');
  return stdout.trim() === 'yes' ? true : stdout.trim() === 'no' ? false : 'no verdict';
}

/**
 * Whether a connection whose refusal is held goes to another backend when the client's kernel sends its SYN again: with
 * the very rules of the steering table, in the network namespace of this process, which must be a throw-away one.
 */
export async function testHold(run: RunTool): Promise<boolean> {
  const must = async (argv: readonly [string, ...string[]], stdin?: string) => {
    const ran = await run(argv, stdin === undefined ? {} : { stdin });
    if (ran.code !== 0) throw new Error(`${argv.join(' ')}: ${ran.stderr}`);
  };
  await must(['ip', 'link', 'set', 'lo', 'up']);
  for (const a of [endpoint, dead, alive]) await must(['ip', 'address', 'add', `${a.text}/32`, 'dev', 'lo']);
  const table = renderSteerTable({ family: 4, endpoints: [endpoint], port, proberUid: 0, uplinks: [], node: alive });
  const to = (a: typeof alive) => renderSteering(4, [{ address: a, port }], true);
  await must(
    ['nft', '-f', '-'],
    `${table}add element ip hairpin live { ${endpoint.text} . ${port} timeout 30s }\n${to(dead)}`,
  );
  const server = createServer((socket) => socket.destroy()).listen(port, alive.text);
  const client = connect(port, endpoint.text);
  const ended = outcome(client);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await must(['nft', '-f', '-'], to(alive));
  // Counted from the switch: a machine that has just booted may take seconds to get there.
  const holds = await Promise.race([
    ended,
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), patienceMs)),
  ]);
  client.destroy();
  server.close();
  return holds;
}

function outcome(client: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    client.once('connect', () => resolve(true));
    client.once('error', () => resolve(false));
  });
}
