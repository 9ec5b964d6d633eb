/** Reads what `ip -json` prints: an array, with empty objects for what was filtered out, or nothing at all. */
export function parseIpJson<T>(text: string): T[] {
  if (text.trim() === '') return [];
  const found: unknown = JSON.parse(text);
  if (!Array.isArray(found)) throw new SyntaxError('ip -json did not print a list');
  return (found as T[]).filter((entry) => Object.keys(entry as object).length > 0);
}
