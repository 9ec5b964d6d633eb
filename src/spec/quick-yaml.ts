import { CORE_SCHEMA, load } from 'js-yaml';

// Anchors, aliases, tags, directives and complex keys; keys that are null or empty; numbers that are no numbers any more.
const doubtful =
  /(?:^|[\s[{,])[&*!]|^%|(?:^|[\s[{,])\?(?:\s|$)|(?:^|[\n{[,-])\s*(?:~|null|Null|NULL)?\s*:(?:[\s,\]}]|$)|[\n{,]\s*(?:~|null|Null|NULL)\s*[,}#]|(?<![\w.])[\d.]+[eE]\+?\d{3}/m;

/**
 * The data of a YAML document, four times as fast as the parser that knows where everything stands (5,000 nodes: 0.1 s and
 * 0.4 s). `undefined` when there is any doubt that both would read the same: what it does not take, and anchors, aliases,
 * tags and directives, which multiply or mean something of their own. Then the other one reads, and says what is wrong.
 */
export function quickYaml(text: string): { readonly data: unknown } | undefined {
  if (doubtful.test(text)) return undefined;
  try {
    return { data: load(text, { schema: CORE_SCHEMA }) };
  } catch {
    return undefined;
  }
}
