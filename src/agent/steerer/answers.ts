import {
  either,
  exactly,
  flag,
  integer,
  list,
  number,
  oneOf,
  type Shape,
  type Shaped,
  text,
  textOf,
} from '../../std/shape.ts';
import type { SteererRequest } from './protocol.ts';

const refusal = exactly({ ok: oneOf(false), problem: text() });
const addressTexts = list(textOf(0, 45), 0, 64);

/** What the steerer answers to each request of protocol.ts. Shapes, because the prober reads them without any library. */
export const steererAnswers = {
  ensure: either(
    exactly({
      ok: oneOf(true),
      /** Endpoints that are steered (those refused are in `problems`, each with its reason in words). */
      endpoints: addressTexts,
      problems: list(text()),
      epoch: integer(),
      /** Whether a held refusal is answered by another backend on this kernel; found out once, at start. */
      holdWorks: flag,
    }),
    refusal,
  ),
  steer: either(exactly({ ok: oneOf(true), ms: number }), refusal),
  reset: either(exactly({ ok: oneOf(true), node: integer(), pods: integer(), ms: number }), refusal),
  credentials: either(
    exactly({ ok: oneOf(true), cert: text(), key: text() }),
    either(exactly({ ok: oneOf(true), none: text() }), refusal),
  ),
  fresh: either(exactly({ ok: oneOf(true), backends: addressTexts }), refusal),
  status: either(
    exactly({
      ok: oneOf(true),
      endpoints: list(exactly({ address: text(), live: flag, family: oneOf(4, 6) })),
      backends: addressTexts,
      hold: flag,
      steered: integer(),
      held: integer(),
    }),
    refusal,
  ),
} as const satisfies Record<SteererRequest['op'], Shape<unknown>>;

export type SteererAnswer<Op extends SteererRequest['op']> = Shaped<(typeof steererAnswers)[Op]>;
