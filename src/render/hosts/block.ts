/**
 * Edits /etc/hosts without owning it: our lines are in one fenced block at the top (the first line that has a name
 * wins), and lines of other hands that map the same names are commented out, so that taking the block out gives back
 * the file as it was. Pure: text in, text out.
 */
export const hostsBlockBegin = '# hairpin begin';
export const hostsBlockEnd = '# hairpin end';
const disabledMark = '# hairpin disabled: ';

/** The text with our block holding exactly `lines` (`ADDRESS NAME…`); no lines, no block. Doing it twice changes nothing. */
export function setHostsBlock(text: string, lines: readonly string[]): string {
  const original = removeHostsBlock(text);
  if (lines.length === 0) return original;
  const names = new Set(lines.flatMap(namesOf));
  const kept: string[] = [];
  const remainders: string[] = [];
  for (const line of original.split('\n')) {
    const others = namesOf(line).filter((name) => !names.has(name));
    if (others.length === namesOf(line).length) {
      kept.push(line);
      continue;
    }
    kept.push(`${disabledMark}${line}`);
    // The line's other names must go on working.
    if (others.length > 0) remainders.push(`${addressOf(line)} ${others.join(' ')}`);
  }
  return [hostsBlockBegin, ...lines, ...remainders, hostsBlockEnd, ...kept].join('\n');
}

/** The text as it was before `setHostsBlock`. */
export function removeHostsBlock(text: string): string {
  const lines = text.split('\n');
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    if (line === hostsBlockBegin) {
      const end = lines.indexOf(hostsBlockEnd, i);
      // A block whose end somebody deleted: only the fence is surely ours.
      if (end !== -1) i = end;
      continue;
    }
    if (line === hostsBlockEnd) continue;
    kept.push(line.startsWith(disabledMark) ? line.slice(disabledMark.length) : line);
  }
  return kept.join('\n');
}

/** The lines of our block as they are, remainders of other lines included; `undefined` when there is no block. */
export function hostsBlockOf(text: string): readonly string[] | undefined {
  const lines = text.split('\n');
  const begin = lines.indexOf(hostsBlockBegin);
  const end = lines.indexOf(hostsBlockEnd, begin);
  return begin === -1 || end === -1 ? undefined : lines.slice(begin + 1, end);
}

function namesOf(line: string): readonly string[] {
  return words(line).slice(1);
}

function addressOf(line: string): string {
  return words(line)[0] ?? '';
}

function words(line: string): readonly string[] {
  return (line.split('#')[0] ?? '').split(/\s+/).filter((word) => word !== '');
}
