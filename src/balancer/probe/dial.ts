import { createHash, randomBytes } from 'node:crypto';
import { OperatorError } from '../../errors/operator-error.ts';
import type { NodePort } from '../../node/port.ts';
import { type Address, parseAddress } from '../../std/address.ts';
import { clientHello } from './client-hello.ts';
import { dialScript } from './dial-script.ts';
import type { Outcome } from './observation.ts';

export interface Dial {
  readonly to: Address;
  readonly port: number;
  readonly count: number;
  /** First source port, one for each connection; 0 lets the kernel choose. */
  readonly firstPort: number;
  /** Milliseconds for a connection and its answer. Above 1 s, so that a SYN that got lost is sent again. */
  readonly timeout: number;
}

export interface Dialled {
  readonly sourcePort: number;
  readonly outcome: Outcome;
  readonly ms: number;
}

/** Opens connections from a node and tells what each met. */
export async function dial(node: NodePort, what: Dial, signal: AbortSignal): Promise<readonly Dialled[]> {
  const hello = clientHello(randomBytes(32)).toString('hex');
  const numbers = [what.port, what.count, what.firstPort, what.timeout].map(String);
  const argv = ['perl', '-e', dialScript, String(what.to.family), what.to.text, ...numbers, hello];
  const result = await node.probe(argv, { signal, timeout: what.timeout + what.count * 100 + 15_000 });
  if (result.exitCode === 127) {
    throw new OperatorError('PROBE_TOOLS', `Node ${node.name} cannot be probed: there is no perl`, {
      hint: `install it there (package perl-base or perl), or say balancer.hairpin in cluster.yaml`,
    });
  }
  if (result.exitCode !== 0) {
    throw new OperatorError('PROBE_TOOLS', `The probe did not run on ${node.name}`, {
      cause: result.stderr.trim().split('\n').at(-1),
    });
  }
  return parseDial(result.stdout);
}

/** Reads what the script prints; see there. */
export function parseDial(text: string): Dialled[] {
  const lines = text.split('\n').map((line) => line.split(' '));
  const certificates = new Map(
    lines
      .filter(([word]) => word === 'cert')
      .map(([, number, hex = '']) => [number, createHash('sha256').update(Buffer.from(hex, 'hex')).digest('hex')]),
  );
  return lines
    .filter(([word]) => word === 'try')
    .map(([, port, is = '', ms, ...rest]) => ({
      sourcePort: Number(port),
      outcome: readOutcome(is, rest, certificates),
      ms: Number(ms),
    }));
}

function readOutcome(
  is: string,
  rest: readonly string[],
  certificates: ReadonlyMap<string | undefined, string>,
): Outcome {
  switch (is) {
    case 'banner':
      return { is, by: rest[0] ?? '', peer: parseAddress(rest[1] ?? '')?.text ?? rest[1] ?? '' };
    case 'tls':
      return { is, certificate: certificates.get(rest[0]) };
    case 'data':
      return { is, text: Buffer.from(rest[0] ?? '', 'hex').toString('latin1') };
    case 'unreachable':
      return { is, errno: Number(rest[0]) };
    case 'refused':
    case 'reset':
    case 'closed':
    case 'timeout':
    case 'silent':
      return { is };
    default:
      throw new SyntaxError(`not an outcome of the probe: ${is}`);
  }
}
