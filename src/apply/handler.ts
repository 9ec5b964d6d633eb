import { OperatorError } from '../errors/operator-error.ts';
import type { NodePort, RunOptions, RunResult } from '../node/port.ts';
import type { Step, StepKind } from '../plan/step.ts';
import type { ProgramSource } from '../program/source.ts';
import type { Spec, SpecNode } from '../spec/spec.ts';
import { changeMarked, changeWithSecretFile, type NodeRecord, remember } from './on-node.ts';
import type { Secrets } from './secrets.ts';

export type StepOf<K extends StepKind> = Extract<Step, { readonly kind: K }>;

/** Carries out the steps of one kind. What it returns is the detail of the finished line, if there is something to say. */
export type Handler<K extends StepKind> = (step: StepOf<K>, cx: StepContext) => Promise<string | undefined>;

/** Fails to compile when a step kind has no handler. */
export type Handlers = { readonly [K in StepKind]: Handler<K> };

/** Reads a file of the operator's machine; relative paths are relative to cluster.yaml. */
export type ReadLocal = (path: string) => Promise<Uint8Array>;

/** What a handler may use. */
export class StepContext {
  readonly spec: Spec;
  readonly node: NodePort;
  readonly secrets: Secrets;
  readonly readLocal: ReadLocal;
  readonly program: ProgramSource;
  /** Aborted when waiting is of no use any more: Ctrl-C, or another step failed. Changes are never cut short by it. */
  readonly waiting: AbortSignal;
  readonly progress: (detail: string, done?: number, total?: number) => void;
  readonly #nodes: ReadonlyMap<string, NodePort>;
  readonly #record: NodeRecord;

  constructor(opts: {
    spec: Spec;
    step: Step;
    nodes: ReadonlyMap<string, NodePort>;
    secrets: Secrets;
    readLocal: ReadLocal;
    program: ProgramSource;
    waiting: AbortSignal;
    progress: (detail: string, done?: number, total?: number) => void;
    run: { readonly id: string; readonly by: string };
    now: () => Date;
  }) {
    const { step } = opts;
    this.spec = opts.spec;
    this.#nodes = opts.nodes;
    this.node = this.other(step.node);
    this.secrets = opts.secrets;
    this.readLocal = opts.readLocal;
    this.program = opts.program;
    this.waiting = opts.waiting;
    this.progress = opts.progress;
    const { id, by } = opts.run;
    this.#record = { at: opts.now().toISOString(), run: id, by, step: step.id, kind: step.kind, undo: step.undo };
  }

  /** Another node of the cluster, for steps that look there. */
  other(name: string): NodePort {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new Error(`The plan names node ${name}, which is not there`);
    return node;
  }

  specNode(name: string): SpecNode {
    const node = this.spec.nodes.find((candidate) => candidate.name === name);
    if (node === undefined) throw new Error(`The plan names node ${name}, which is not in the spec`);
    return node;
  }

  /** Runs a changing command on the step's node, announced in the node's journal. */
  change(argv: readonly string[], opts: RunOptions = {}): Promise<RunResult> {
    return changeMarked(this.node, argv, { record: this.#record, opts });
  }

  changeWithSecretFile(
    file: { readonly path: string; readonly content: string },
    argv: readonly string[],
    opts: RunOptions = {},
  ): Promise<RunResult> {
    return changeWithSecretFile(this.node, argv, { record: this.#record, opts, ...file });
  }

  /** Announces the step in the node's journal, for steps that are not one command. */
  remember(): Promise<void> {
    return remember(this.node, this.#record);
  }

  /** `change` that must end well. */
  async mustChange(argv: readonly string[], what: string, opts: RunOptions = {}): Promise<RunResult> {
    return mustEndWell(await this.change(argv, opts), what);
  }

  /** The same through another node, for what is done to the cluster and not to a node. */
  async mustChangeOn(node: string, argv: readonly string[], what: string, opts: RunOptions = {}): Promise<RunResult> {
    return mustEndWell(await this.other(node).change(argv, opts), what);
  }
}

/** Throws `STEP_FAILED` with the last lines the command printed. */
export function mustEndWell(result: RunResult, what: string, okExitCodes: readonly number[] = [0]): RunResult {
  if (okExitCodes.includes(result.exitCode)) return result;
  throw new OperatorError('STEP_FAILED', `${what} failed with exit code ${result.exitCode}`, {
    cause: lastLines(result.stderr.trim() === '' ? result.stdout : result.stderr, 12),
  });
}

export function lastLines(text: string, count: number): string {
  return text.trim().split('\n').slice(-count).join('\n');
}
