import { clientClasses } from '../variants.ts';
import { type Entry, type Section, scoreOf } from './table.ts';

const cellWidth = 12;
const cellHeight = 16;
const left = 150;
const gap = 6;

/** From best to worst; the words are the legend. */
const colours = {
  none: ['#1a7f37', 'nothing failed'],
  short: ['#9bd67f', 'up to 3 s'],
  medium: ['#f2c14e', 'up to 15 s'],
  long: ['#e07b39', 'longer'],
  healed: ['#b42318', 'until healed'],
  anyway: ['#5b1a1a', 'fails with nothing broken'],
  bad: ['#c4b5fd', 'bad experiment'],
  absent: ['#eceff2', 'refused, or no such client'],
} as const;

/** Pure: one square for each strategy (down), fault and client class (across), a panel for each balancer. */
export function availabilitySvg(sections: readonly Section[]): string {
  const parts: string[] = [];
  let y = 24;
  let width = 700;
  for (const section of sections) {
    const classes = clientClasses.filter((client) => section.rows.some((row) => row.client === client));
    const faults = [...new Set(section.rows.map((row) => row.fault))];
    const groupWidth = classes.length * cellWidth + gap;
    parts.push(text(10, y, `behind ${section.preset}`, 'font-weight="bold"'));
    y += 92;
    for (const [i, fault] of faults.entries()) {
      parts.push(
        `<text transform="translate(${left + i * groupWidth + groupWidth / 2} ${y - 6}) rotate(-40)">${quote(fault)}</text>`,
      );
    }
    for (const variant of section.columns) {
      parts.push(text(left - 8, y + 12, variant, 'text-anchor="end"'));
      for (const [i, fault] of faults.entries()) {
        for (const [j, client] of classes.entries()) {
          const row = section.rows.find((one) => one.fault === fault && one.client === client);
          const x = left + i * groupWidth + j * cellWidth;
          parts.push(square(x, y, row?.entries.get(variant), `${variant}, ${fault}, ${client}`));
        }
      }
      y += cellHeight + 2;
    }
    parts.push(text(left, y + 12, `in each group: ${classes.join(', ')}`, 'fill="#57606a"'));
    width = Math.max(width, left + faults.length * groupWidth + 90);
    y += 40;
  }
  for (const [i, [fill, words]] of Object.values(colours).entries()) {
    const x = 10 + (i % 4) * 170;
    const at = y + Math.floor(i / 4) * 20;
    parts.push(`<rect x="${x}" y="${at}" width="12" height="12" fill="${fill}"/>`, text(x + 18, at + 10, words));
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y + 50}" font-family="sans-serif" font-size="12">`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function square(x: number, y: number, entry: Entry | undefined, title: string): string {
  const [fill] = colours[colourOf(entry)];
  return `<rect x="${x}" y="${y}" width="${cellWidth - 1}" height="${cellHeight}" fill="${fill}"><title>${quote(title)}</title></rect>`;
}

function colourOf(entry: Entry | undefined): keyof typeof colours {
  if (entry === undefined || entry.is === 'refused') return 'absent';
  if (entry.is === 'bad') return 'bad';
  if (entry.seen.failsAnyway > 0) return 'anyway';
  const ms = scoreOf(entry) ?? 0;
  if (ms === Number.POSITIVE_INFINITY) return 'healed';
  if (ms === 0) return 'none';
  return ms <= 3000 ? 'short' : ms <= 15_000 ? 'medium' : 'long';
}

function text(x: number, y: number, words: string, more = ''): string {
  return `<text x="${x}" y="${y}"${more === '' ? '' : ` ${more}`}>${quote(words)}</text>`;
}

function quote(words: string): string {
  return words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
