import type { CheckResult } from '../../index.ts';

/** A line for each check: its mark, its sentence, and what was seen where that says more than the sentence. */
export function checksTable(results: readonly CheckResult[], opts: { readonly color: boolean }): string {
  const width = Math.max(...results.map(({ title }) => title.length));
  return results.map((result) => line(result, width, opts)).join('\n');
}

function line({ title, name, verdict }: CheckResult, width: number, opts: { readonly color: boolean }): string {
  switch (verdict.is) {
    case 'ok':
      return `${mark('✔', 32, opts)} ${title.padEnd(width)}  ${verdict.saw ?? ''}`.trimEnd();
    case 'skip':
      return `${mark('–', 2, opts)} ${title.padEnd(width)}  skipped: ${verdict.reason}`;
    case 'not-ok':
      return `${mark('✘', 31, opts)} ${title}   ${name}\n    want  ${verdict.want}\n    saw   ${verdict.saw}`;
  }
}

function mark(sign: string, code: number, opts: { readonly color: boolean }): string {
  return opts.color ? `\x1b[${code}m${sign}\x1b[0m` : sign;
}
