/** `m1`, `m1 and m2`, `m1, m2 and 3 more`. */
export function list(items: readonly string[], most = 4): string {
  if (items.length <= 1) return items[0] ?? 'none';
  if (items.length > most) return `${items.slice(0, most).join(', ')} and ${items.length - most} more`;
  return `${items.slice(0, -1).join(', ')} and ${items.at(-1) ?? ''}`;
}

export function count(n: number, singular: string, plural = `${singular}s`): string {
  return `${n} ${n === 1 ? singular : plural}`;
}
