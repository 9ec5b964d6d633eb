import { parseClusterText } from './cluster-file.ts';
import { formatDiagnostic, isError } from './errors/diagnostic.ts';
import { BadSpecError, OperatorError } from './errors/operator-error.ts';
import { sayOfFlag } from './spec/init/flag-of.ts';
import { type FileNode, fileFromFlags, type InitFlags } from './spec/init/flags.ts';
import { nodesFromInventory } from './spec/init/inventory.ts';
import { printClusterFile, type Remark } from './spec/init/print.ts';
import type { ClusterFile } from './spec/schema.ts';

export interface NewClusterFile {
  /** The whole file, commented. */
  readonly text: string;
  /** Where things came from. */
  readonly notes: readonly string[];
  /** What the file says that will work and is probably not meant, as `formatDiagnostic` prints it. */
  readonly warnings: readonly string[];
}

export interface InventoryText {
  readonly file: string;
  readonly text: string;
}

/**
 * Flags, and perhaps an Ansible inventory, → the text of a cluster.yaml that can be used. Throws `OperatorError` (USAGE)
 * with everything that is wrong with the flags, or `BadSpecError` with what is wrong with the inventory.
 */
export function newClusterFile(
  flags: InitFlags,
  opts: { readonly file: string; readonly inventory?: InventoryText | undefined },
): NewClusterFile {
  const { nodes, notes } = nodesOf(opts.inventory);
  const result = fileFromFlags(flags, nodes);
  if (!result.ok) throw usage(result.problems.map((p) => `${p.flag}: ${p.problem}; expected ${p.expected}`));
  return { ...usableText(result.file, opts.file), notes };
}

/** Prints the file and reads it again: what `init` writes, `plan` must accept. */
function usableText(file: ClusterFile, path: string, remarks: readonly Remark[] = []): Omit<NewClusterFile, 'notes'> {
  const text = printClusterFile(file, remarks);
  const read = parseClusterText(text, path);
  if (!read.ok) throw usage(read.diagnostics.filter(isError).map(sayOfFlag));
  return { text, warnings: read.warnings.map(formatDiagnostic) };
}

function nodesOf(inventory: InventoryText | undefined): { nodes: readonly FileNode[]; notes: readonly string[] } {
  if (inventory === undefined) return { nodes: [], notes: [] };
  const result = nodesFromInventory(inventory.text, inventory.file);
  if (!result.ok) throw new BadSpecError(result.diagnostics);
  return result;
}

function usage(lines: readonly string[]): OperatorError {
  const [only] = lines;
  return new OperatorError(
    'USAGE',
    lines.length === 1 ? `Cannot write a spec: ${only ?? ''}` : `Cannot write a spec:\n  ${lines.join('\n  ')}`,
    { hint: 'hairpin init --masters 10.0.0.1,10.0.0.2,10.0.0.3 --endpoint 172.16.105.26:6443' },
  );
}
