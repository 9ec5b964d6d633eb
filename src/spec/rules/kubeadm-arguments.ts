import type { KubeadmDocument } from '../spec.ts';
import type { YamlPath } from '../yaml-source.ts';

export interface WrittenArgument {
  readonly value: string;
  readonly at: YamlPath;
}

/**
 * What the user's raw ClusterConfiguration gives a component as an extra argument: a map of names to v1beta3, a list of
 * `{name, value}` from v1beta4 on.
 */
export function argument(
  documents: readonly KubeadmDocument[],
  component: 'apiServer' | 'controllerManager' | 'scheduler',
  name: string,
): WrittenArgument | undefined {
  for (const [index, document] of documents.entries()) {
    if (document.kind !== 'ClusterConfiguration') continue;
    const args = field(field(document, component), 'extraArgs');
    const at = ['spec', 'kubeadm', 'documents', index, component, 'extraArgs'];
    if (Array.isArray(args)) {
      const position = args.findLastIndex((arg) => field(arg, 'name') === name);
      if (position >= 0) return { value: String(field(args[position], 'value')), at: [...at, position, 'value'] };
    } else if (field(args, name) !== undefined) {
      return { value: String(field(args, name)), at: [...at, name] };
    }
  }
  return undefined;
}

/** `value[key]` when there is such a thing. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  return (value as Record<string, unknown>)[key];
}
