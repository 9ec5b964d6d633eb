/** Small SVG drawings without a library: dark on white, readable in a browser and in a README. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Beside the bar; the value by itself when absent. */
  readonly text?: string;
  readonly ours?: boolean;
}

/** Horizontal bars in groups, one scale a group; `log` where values differ by powers of ten. */
export function bars(
  title: string,
  groups: readonly { readonly title: string; readonly bars: readonly Bar[]; readonly log?: boolean }[],
): string {
  const left = 150;
  const width = 420;
  const row = 18;
  let y = 34;
  const parts: string[] = [];
  for (const group of groups) {
    parts.push(`<text x="10" y="${y}" font-weight="bold">${quote(group.title)}</text>`);
    y += 8;
    const max = Math.max(1e-9, ...group.bars.map((bar) => bar.value));
    for (const bar of group.bars) {
      const share = group.log === true ? Math.log10(1 + bar.value) / Math.log10(1 + max) : bar.value / max;
      const fill = bar.ours === true ? '#1a7f37' : '#8c959f';
      parts.push(
        `<text x="${left - 8}" y="${y + 13}" text-anchor="end">${quote(bar.label)}</text>`,
        `<rect x="${left}" y="${y + 3}" width="${Math.max(1, share * width).toFixed(1)}" height="12" fill="${fill}"/>`,
        `<text x="${(left + Math.max(1, share * width) + 6).toFixed(1)}" y="${y + 13}">${quote(bar.text ?? String(bar.value))}</text>`,
      );
      y += row;
    }
    y += 20;
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="760" height="${y}" font-family="sans-serif" font-size="12">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="10" y="16" font-size="14" font-weight="bold">${quote(title)}</text>`,
    ...parts,
    '</svg>',
    '',
  ].join('\n');
}

function quote(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
