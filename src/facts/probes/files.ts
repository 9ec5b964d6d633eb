import { quoteArgv } from '../../std/quote.ts';
import { lines, type Probe, sections } from '../probe.ts';
import type { FileFact, Ours } from '../types.ts';

const manifest = '/var/lib/hairpin/written';

/** The files asked for and those that hairpin wrote earlier. */
export const files: Probe<Readonly<Record<string, FileFact>>> = {
  script: (ask) => `
set -- ${quoteArgv(ask.files)}
{
  for f; do printf '%s\\n' "$f"; done
  if [ -r ${manifest} ]; then cut -c 67- ${manifest}; fi
} | sort -u | {
  set --
  while IFS= read -r f; do [ -f "$f" ] && [ -r "$f" ] && set -- "$@" "$f"; done
  [ $# = 0 ] || { echo @stat; stat -L -c '%a %U:%G %s %n' -- "$@"; echo @sums; sha256sum --zero -- "$@"; }
}
:`,

  parse(text) {
    const of = (title: string) => lines(sections(text).find((section) => section.title === title)?.body ?? '');
    const sums = new Map(
      of('sums')
        .flatMap((line) => line.split('\0'))
        .map((sum) => [sum.slice(66), sum.slice(0, 64)]),
    );
    return Object.fromEntries(
      of('stat').flatMap((line): [string, FileFact][] => {
        const [mode = '', owner = '', bytes, ...rest] = line.split(' ');
        const path = rest.join(' ');
        const sha256 = sums.get(path);
        return sha256 === undefined ? [] : [[path, { sha256, mode, owner, bytes: Number(bytes) }]];
      }),
    );
  },
};

/** What hairpin left on the node: its manifest (see node/files.ts), backups, and the node's journal. */
export const ours: Probe<Ours> = {
  script: () => `
echo @written
if [ -r ${manifest} ]; then cat ${manifest}; fi
echo @backups
if [ -r ${manifest} ]; then
  cut -c 67- ${manifest} | sort -u | while IFS= read -r f; do
    for b in "$f".hairpin-backup "$f".hairpin-backup.[0-9]*; do [ -e "$b" ] && printf '%s\\n' "$b"; done
  done
fi
echo @journal
[ -s /var/lib/hairpin/journal.jsonl ] && echo yes
:`,

  parse(text) {
    const of = (title: string) => lines(sections(text).find((section) => section.title === title)?.body ?? '');
    const written = new Map<string, string[]>();
    for (const line of of('written')) {
      const path = line.slice(66);
      written.set(path, [...(written.get(path) ?? []), line.slice(0, 64)]);
    }
    return { written: Object.fromEntries(written), backups: of('backups'), journal: of('journal').length > 0 };
  },
};
