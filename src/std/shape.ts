/**
 * What JSON must look like, for processes of the agent: with zod, which explains what is wrong, each of them needs 6.5 MB
 * more. A shape says yes or no. Where a person wrote the text, the schema is asked for the reasons afterwards.
 */
export type Shape<T> = (value: unknown) => value is T;

/** What a shape lets pass. */
export type Shaped<S> = S extends Shape<infer T> ? T : never;

type Fields = Readonly<Record<string, Shape<unknown>>>;
type OptionalKeys<F extends Fields> = { [K in keyof F]: undefined extends Shaped<F[K]> ? K : never }[keyof F];
type Formed<F extends Fields> = { [K in Exclude<keyof F, OptionalKeys<F>>]: Shaped<F[K]> } & {
  [K in OptionalKeys<F>]?: Shaped<F[K]>;
};

export function text(fits: (text: string) => boolean = () => true): Shape<string> {
  return (value): value is string => typeof value === 'string' && fits(value);
}

/** At most so many UTF-16 units, and at least one where `min` says so. */
export function textOf(min: number, max: number): Shape<string> {
  return text(({ length }) => length >= min && length <= max);
}

export const flag: Shape<boolean> = (value) => typeof value === 'boolean';

/** Finite: `1e999` is JSON, too. */
export const number: Shape<number> = (value): value is number => Number.isFinite(value);

export function integer(min: number = Number.MIN_SAFE_INTEGER, max: number = Number.MAX_SAFE_INTEGER): Shape<number> {
  return (value): value is number => Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

export function oneOf<const T extends string | number | boolean>(...values: readonly T[]): Shape<T> {
  return (value): value is T => values.some((each) => each === value);
}

export function list<T>(of: Shape<T>, min = 0, max = Number.POSITIVE_INFINITY): Shape<T[]> {
  return (value): value is T[] =>
    Array.isArray(value) && value.length >= min && value.length <= max && value.every((each) => of(each));
}

/** Left out is fine; `null` is not. */
export function optional<T>(of: Shape<T>): Shape<T | undefined> {
  return (value): value is T | undefined => value === undefined || of(value);
}

/** As programs written in Go leave things out. */
export function nullish<T>(of: Shape<T>): Shape<T | null | undefined> {
  return (value): value is T | null | undefined => value === null || value === undefined || of(value);
}

export function either<A, B>(a: Shape<A>, b: Shape<B>): Shape<A | B> {
  return (value): value is A | B => a(value) || b(value);
}

/** At least these fields; others are let be. */
export function fields<const F extends Fields>(of: F): Shape<Formed<F>> {
  const keys = Object.keys(of);
  return (value): value is Formed<F> =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    // Own ones only: `__proto__` and its like are nobody's field.
    keys.every((key) => of[key]?.(Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined));
}

/** These fields and no others. */
export function exactly<const F extends Fields>(of: F): Shape<Formed<F>> {
  const form = fields(of);
  return (value): value is Formed<F> => form(value) && Object.keys(value).every((key) => Object.hasOwn(of, key));
}
