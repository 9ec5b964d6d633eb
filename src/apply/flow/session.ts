import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import { products } from '../../balancer/products/index.ts';
import { toBalancerConfig } from '../../balancer/products/product.ts';
import type { Diagnostic } from '../../errors/diagnostic.ts';
import { BadSpecError, OperatorError } from '../../errors/operator-error.ts';
import { gatherFacts } from '../../facts/gather.ts';
import type { Ask } from '../../facts/probe.ts';
import type { ClusterFacts } from '../../facts/types.ts';
import { openNodes } from '../../node/nodes.ts';
import type { NodePort } from '../../node/port.ts';
import type { SshTarget } from '../../node/ssh-config.ts';
import { askedFiles, askedUnits } from '../../plan/asked.ts';
import { type Emit, task } from '../../report/event.ts';
import { readSpec } from '../../spec/read-spec.ts';
import type { Spec, SpecNode } from '../../spec/spec.ts';

/** A cluster.yaml that was read, and connections to its nodes (none is made before the first command). */
export interface ClusterSession extends AsyncDisposable {
  readonly file: string;
  /** Where cluster.yaml is: paths in it are relative to this, and the journal is kept beside it. */
  readonly directory: string;
  readonly spec: Spec;
  readonly warnings: readonly Diagnostic[];
  readonly nodes: ReadonlyMap<string, NodePort>;
}

export interface SessionOptions {
  readonly file: string;
  readonly sudoPassword?: string;
  /** For `--strategy`: what the file would say. */
  readonly change?: (spec: Spec) => Spec;
}

export async function openSession(opts: SessionOptions): Promise<ClusterSession> {
  const { spec, warnings } = await loadSpec(opts.file);
  const changed = opts.change?.(spec) ?? spec;
  const sudo = opts.sudoPassword === undefined ? {} : { sudoPassword: opts.sudoPassword };
  const nodes = await openNodes(spec.nodes.map(targetOf), sudo);
  return {
    ...{ file: opts.file, directory: dirname(opts.file), spec: changed, warnings, nodes: nodes.byName },
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  };
}

/** Reads cluster.yaml. Throws `BadSpecError` with every problem in it. */
export async function loadSpec(file: string): Promise<{ spec: Spec; warnings: readonly Diagnostic[] }> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw new OperatorError('SPEC_MISSING', `Cannot read ${file}`, {
      cause: error,
      hint: 'name it with -f, or make one with `hairpin init`',
    });
  });
  const table = Object.fromEntries(products.map((product) => [product.name, toBalancerConfig(product)]));
  const result = readSpec(text, { file, products: table });
  if (!result.ok) throw new BadSpecError(result.diagnostics);
  return result;
}

/** Looks at all nodes at once, as the planner wants it. */
export async function gatherClusterFacts(
  session: Pick<ClusterSession, 'spec' | 'nodes'>,
  opts: { emit: Emit; signal: AbortSignal },
): Promise<ClusterFacts> {
  const { spec } = session;
  const asked = spec.nodes.flatMap((node) => {
    const port = session.nodes.get(node.name);
    return port === undefined ? [] : [{ node: port, ask: askFor(spec, node) }];
  });
  return task(
    opts.emit,
    'facts',
    'facts',
    (progress) =>
      gatherFacts(asked, {
        signal: opts.signal,
        onNode: (report, done, total) => progress(report.node, done, total),
      }),
    (facts) => `${facts.nodes.filter((report) => report.is === 'seen').length} of ${facts.nodes.length} nodes`,
  );
}

export function askFor(spec: Spec, node: SpecNode): Ask {
  return {
    endpointAddresses: spec.endpoint.addresses,
    endpointNames: spec.endpoint.kind === 'domain' ? [spec.endpoint.domain] : [],
    endpointPort: spec.endpoint.port,
    apiServerPort: spec.apiServerPort,
    nodeAddress: node.address,
    files: askedFiles,
    units: askedUnits,
  };
}

/** Files of the operator's machine that steps send. */
export function localReader(directory: string): (path: string) => Promise<Uint8Array> {
  return async (path) => {
    const full = isAbsolute(path) ? path : join(directory, path);
    return readFile(full).catch((error: unknown) => {
      throw new OperatorError('FILE_MISSING', `Cannot read ${full}, which cluster.yaml names`, { cause: error });
    });
  };
}

function targetOf(node: SpecNode): SshTarget {
  const { ssh } = node;
  return {
    name: node.name,
    address: node.address.text,
    ...(ssh.user === undefined ? {} : { user: ssh.user }),
    ...(ssh.port === undefined ? {} : { port: ssh.port }),
    ...(ssh.identityFile === undefined ? {} : { identityFile: ssh.identityFile }),
    ...(ssh.configFile === undefined ? {} : { configFile: ssh.configFile }),
  };
}
