import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isMap, parseDocument } from 'yaml';
import { loadSpec, parseClusterText } from '../../cluster-file.ts';
import { BadSpecError, OperatorError } from '../../errors/operator-error.ts';
import { gatherFacts } from '../../facts/gather.ts';
import type { Ask } from '../../facts/probe.ts';
import type { ClusterFacts } from '../../facts/types.ts';
import { openNodes } from '../../node/nodes.ts';
import type { NodePort } from '../../node/port.ts';
import { sshTargetOf } from '../../node/ssh-config.ts';
import { askedFiles, askedUnits } from '../../plan/asked.ts';
import { localProgram, type ProgramSource } from '../../program/source.ts';
import { type Emit, task } from '../../report/event.ts';
import type { Spec, SpecNode } from '../../spec/spec.ts';

/** A cluster.yaml that was read, and connections to its nodes (none is made before the first command). */
export interface ClusterSession extends AsyncDisposable {
  readonly file: string;
  /** Where cluster.yaml is: paths in it are relative to this, and the journal is kept beside it. */
  readonly directory: string;
  readonly spec: Spec;
  readonly nodes: ReadonlyMap<string, NodePort>;
  /** hairpin's own program, as nodes get it. */
  readonly program: ProgramSource;
}

export interface SessionOptions {
  readonly file: string;
  /** Told the warnings about the file. */
  readonly emit: Emit;
  readonly sudoPassword?: string;
  /** Instead of the strategy in the file. */
  readonly strategy?: string | undefined;
}

export async function openSession(opts: SessionOptions): Promise<ClusterSession> {
  const spec = await specOf(opts);
  const sudo = opts.sudoPassword === undefined ? {} : { sudoPassword: opts.sudoPassword };
  const nodes = await openNodes(spec.nodes.map(sshTargetOf), sudo);
  return {
    file: opts.file,
    directory: dirname(opts.file),
    spec,
    nodes: nodes.byName,
    program: await localProgram(),
    [Symbol.asyncDispose]: () => nodes[Symbol.asyncDispose](),
  };
}

async function specOf(opts: SessionOptions): Promise<Spec> {
  const spec = await loadSpec(opts.file, opts.emit);
  if (opts.strategy === undefined || opts.strategy === spec.strategy.name) return spec;
  const result = parseClusterText(withStrategy(await readFile(opts.file, 'utf8'), opts.strategy), opts.file);
  if (!result.ok) throw new BadSpecError(result.diagnostics);
  return result.spec;
}

/** The file with another strategy; options of the same strategy stay. */
export function withStrategy(text: string, strategy: string): string {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return text;
  const written = document.getIn(['spec', 'strategy'], true);
  if (isMap(written) && written.has(strategy)) return text;
  document.setIn(['spec', 'strategy'], strategy);
  return document.toString({ lineWidth: 0 });
}

/** Looks at all nodes at once, as the planner wants it. */
export async function gatherClusterFacts(
  session: Pick<ClusterSession, 'spec' | 'nodes'>,
  opts: { emit: Emit; signal: AbortSignal },
): Promise<ClusterFacts> {
  const asked = factsAsk(session.spec, session.nodes);
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

/** What is asked of which node. */
export function factsAsk(spec: Spec, nodes: ReadonlyMap<string, NodePort>) {
  return spec.nodes.flatMap((node) => {
    const port = nodes.get(node.name);
    return port === undefined ? [] : [{ node: port, ask: askFor(spec, node) }];
  });
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

/** Files of the operator's machine that steps send; the spec has their paths as this process needs them. */
export function localReader(): (path: string) => Promise<Uint8Array> {
  // Several nodes get the same bundle at once, and it is big.
  const kept = new Map<string, Promise<Uint8Array>>();
  const read = async (full: string) =>
    await readFile(full).catch((error: unknown) => {
      throw new OperatorError('FILE_MISSING', `Cannot read ${full}, which cluster.yaml names`, { cause: error });
    });
  return async (path) => {
    const reading = kept.get(path) ?? read(path);
    kept.set(path, reading);
    return await reading;
  };
}
