type Painter = (text: string) => string;

/** Colours for verdicts only. With `on` false every painter gives its text back. */
export function paint(on: boolean): { green: Painter; red: Painter; yellow: Painter; dim: Painter; bold: Painter } {
  const wrap = (start: number, end: number): Painter =>
    on ? (text) => `\x1b[${start}m${text}\x1b[${end}m` : (text) => text;
  return { green: wrap(32, 39), red: wrap(31, 39), yellow: wrap(33, 39), dim: wrap(2, 22), bold: wrap(1, 22) };
}
