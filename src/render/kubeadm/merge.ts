/** A YAML document as plain data. */
export type Tree = Readonly<Record<string, unknown>>;

/**
 * Puts a user's document over ours; the user wins. Maps are merged key by key; lists are replaced as a whole, except
 * lists of `{ name, value }` (extraArgs since v1beta4), which are merged by name, and `certSANs`, which are joined: a
 * user who adds an argument does not mean to take ours away.
 */
export function mergeOver(ours: Tree, theirs: Tree): Tree {
  const merged: Record<string, unknown> = { ...ours };
  for (const [key, value] of Object.entries(theirs)) merged[key] = mergeValue(key, ours[key], value);
  return merged;
}

function mergeValue(key: string, ours: unknown, theirs: unknown): unknown {
  if (isTree(ours) && isTree(theirs)) return mergeOver(ours, theirs);
  if (!Array.isArray(ours) || !Array.isArray(theirs)) return theirs;
  if (key === 'certSANs') return [...new Set([...(ours as unknown[]), ...(theirs as unknown[])])];
  if (isNamed(ours) && isNamed(theirs)) {
    const overridden = new Set(theirs.map((item) => item.name));
    return [...ours.filter((item) => !overridden.has(item.name)), ...theirs];
  }
  return theirs;
}

function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNamed(list: readonly unknown[]): list is readonly { readonly name: string; readonly value: unknown }[] {
  return list.every((item) => isTree(item) && typeof item.name === 'string' && 'value' in item);
}
