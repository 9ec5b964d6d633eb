import { createHash } from 'node:crypto';
import { type Probe, sections } from '../probe.ts';
import type { Kubeconfig } from '../types.ts';

/** Whom each kubeconfig on the node dials. Only these two fields leave the node. */
export const kubeconfigs: Probe<readonly Kubeconfig[]> = {
  script: () => `
set --
for f in /etc/kubernetes/*.conf /root/.kube/config; do [ -r "$f" ] && set -- "$@" "$f"; done
[ $# = 0 ] || awk '
FNR == 1                                         { print "@" FILENAME }
/^ *(server|certificate-authority-data): *[^ ]/  { sub(/:/, "", $1); print $1, $2 }
' "$@"
:`,

  parse(text) {
    return sections(text).map(({ title, body }) => {
      const of = (key: string) => new RegExp(`^${key} (.+)$`, 'm').exec(body)?.[1]?.replace(/^"|"$/g, '');
      const ca = of('certificate-authority-data');
      return {
        path: title,
        server: of('server'),
        caFingerprint:
          ca === undefined ? undefined : createHash('sha256').update(Buffer.from(ca, 'base64')).digest('hex'),
      };
    });
  },
};
