import type { NodePort } from '../../node/port.ts';
import type { Spec, SpecNode } from '../../spec/spec.ts';
import { formatHostPort } from '../../std/address.ts';
import type { LogEntry, NodeLook } from '../evidence.ts';
import { parseDials, parseLook } from './parse.ts';
import { dialScript, lookScript } from './script.ts';

/** What one node had to say, as far as it did in time. */
export interface Collected {
  readonly node: string;
  readonly look: NodeLook | undefined;
  readonly logs: readonly LogEntry[];
  readonly texts: readonly { readonly name: string; readonly text: string }[];
  readonly missing: readonly string[];
}

const empty: NodeLook = {
  dials: { endpoint: undefined, masters: [] },
  ownHosts: [],
  podHosts: [],
  keepalived: [],
  kubelet: { cgroupDriver: undefined, failSwapOn: undefined },
  systemdCgroup: undefined,
  cniFiles: [],
  refusedHere: [],
  drops: [],
};

/** Two commands at once: tries, and files and logs. What fails is told in `missing`; only an abort throws. */
export async function collectNode(
  port: NodePort,
  spec: Spec,
  node: SpecNode,
  opts: { readonly signal: AbortSignal; readonly timeoutMs: number },
): Promise<Collected> {
  const missing: string[] = [];
  const run = async (what: string, { script, args }: { script: string; args: readonly string[] }) => {
    try {
      const argv = ['sh', '-c', script, 'hairpin-look', ...args];
      const { exitCode, stdout, stderr } = await port.probe(argv, { signal: opts.signal, timeout: opts.timeoutMs });
      if (exitCode === 0) return stdout;
      missing.push(`${what}: ${stderr.trim().split('\n').at(-1) ?? `exit code ${exitCode}`}`);
      return stdout;
    } catch (error) {
      if (opts.signal.aborted) throw error;
      missing.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const [dialled, looked] = await Promise.all([
    run('tries to connect', dialScript(spec)),
    run('files and logs', lookScript(spec, node)),
  ]);
  const endpoint = formatHostPort(spec.endpoint.host, spec.endpoint.port);
  const parsed = looked === undefined ? undefined : parseLook(looked, node.name);
  const dials = dialled === undefined ? empty.dials : parseDials(dialled, endpoint);
  return {
    node: node.name,
    look: parsed === undefined && dialled === undefined ? undefined : { ...(parsed?.look ?? empty), dials },
    logs: parsed?.logs ?? [],
    texts: parsed?.texts ?? [],
    missing,
  };
}
