import { lines, type Probe, sections } from '../probe.ts';
import type { ProgramHost } from '../types.ts';

/** What the Node.js in hairpin's own program is linked with, besides glibc. */
const libraries = ['libstdc++.so.6', 'libgcc_s.so.1', 'libatomic.so.1'];

export const program: Probe<ProgramHost> = {
  script: () => `
echo @glibc
getconf GNU_LIBC_VERSION
echo @libraries
{ ldconfig -p || /sbin/ldconfig -p; } | awk '{ print $1 }' | grep -xF ${libraries.map((name) => `-e ${name}`).join(' ')} | sort -u
echo @users
id -u hairpin >/dev/null && echo hairpin
echo @versions
for sums in /usr/local/lib/hairpin/*/SHA256SUMS; do
  [ -e "$sums" ] && sums=\${sums%/*} && echo "\${sums##*/}"
done
:`,

  parse(text) {
    const of = (title: string) => lines(sections(text).find((section) => section.title === title)?.body ?? '');
    return {
      glibc: /^glibc (\d+\.\d+)/.exec(of('glibc')[0] ?? '')?.[1],
      libraries: of('libraries'),
      users: of('users'),
      versions: of('versions'),
    };
  },
};
