/** After the start, which leaves more behind than all that follows. */
const firstMs = 8000;
/** One turn takes some 20 ms: 0.02 % of a core. */
const againMs = 2 * 60_000;

/**
 * Gives memory back that a long-lived process does not need any more: V8 keeps what it once had, and most of that is of
 * the start. Where `gc` is not exposed (the units do, src/render/agent/units.ts) nothing happens.
 */
export function keepTrim(): void {
  const collect = globalThis.gc;
  if (collect === undefined) return;
  // `last-resort` also lets go of compiled code that was used only once.
  const turn = () => collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  setTimeout(() => {
    turn();
    setInterval(turn, againMs).unref();
  }, firstMs).unref();
}
