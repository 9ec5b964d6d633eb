import type { Operation } from '../history/record.ts';
import type { NotLinearizable } from './register.ts';

/**
 * Whether a set that only grows is linearizable, each element being added once: what is acknowledged is in every list
 * that starts later, what was in one list is in every list that starts after that one ended, and nothing is in a list
 * that nobody has begun to add.
 */
export function judgeSet(object: string, operations: readonly Operation[]): readonly NotLinearizable[] {
  const own = operations.filter((o) => o.object === object);
  const added = new Map<string, Operation>();
  for (const o of own) if (o.does.op === 'add') added.set(o.does.element, o);
  const lists = own
    .flatMap((o) =>
      o.does.op === 'list' && o.result === 'ok' && o.does.elements !== undefined
        ? [{ startedAt: o.startedAt, endedAt: o.endedAt, elements: new Set(o.does.elements) }]
        : [],
    )
    .toSorted((a, b) => a.startedAt - b.startedAt);
  const problems: NotLinearizable[] = [];

  for (const [element, add] of added) {
    const shownAt = Math.min(
      add.result === 'ok' ? add.endedAt : Number.POSITIVE_INFINITY,
      ...lists.filter((list) => list.elements.has(element)).map((list) => list.endedAt),
    );
    const without = lists.find((list) => list.startedAt > shownAt && !list.elements.has(element));
    if (without !== undefined) {
      const known = add.result === 'ok' ? 'acknowledged' : 'listed before';
      problems.push({ object, why: `\`${element}\`, ${known}, is not in a later list: the write is lost` });
    }
    const early = lists.find((list) => list.endedAt < add.startedAt && list.elements.has(element));
    if (early !== undefined) problems.push({ object, why: `\`${element}\` was listed before it was added` });
    if (add.result === 'failed' && lists.some((list) => list.elements.has(element))) {
      problems.push({ object, why: `\`${element}\` was refused and is listed` });
    }
  }
  const strangers = new Set(lists.flatMap((list) => [...list.elements].filter((element) => !added.has(element))));
  for (const element of strangers) problems.push({ object, why: `\`${element}\` was listed and nobody added it` });
  return problems;
}
