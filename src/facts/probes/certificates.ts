import { X509Certificate } from 'node:crypto';
import { parseAddress } from '../../std/address.ts';
import { lines, type Probe, sections } from '../probe.ts';
import type { Certificate } from '../types.ts';

/** Certificates of kubeadm and the client certificates inside kubeconfigs. Private keys never leave the node. */
export const certificates: Probe<readonly Certificate[]> = {
  script: () => `
set --
for f in /etc/kubernetes/pki/*.crt /etc/kubernetes/pki/etcd/*.crt /var/lib/kubelet/pki/kubelet-client-current.pem /var/lib/kubelet/pki/kubelet.crt /etc/kubernetes/*.conf; do
  [ -r "$f" ] && set -- "$@" "$f"
done
[ $# = 0 ] || awk '
FNR == 1                        { inside = 0; seen = 0 }
/-----BEGIN CERTIFICATE-----/   { inside = 1; if (!seen++) print "@" FILENAME }
inside                          { print }
/-----END CERTIFICATE-----/     { inside = 0 }
/^ *client-certificate-data: /  { if (!seen++) { print "@" FILENAME; print "base64 " $2 } }
' "$@"
:`,

  parse(text) {
    return sections(text).flatMap(({ title, body }) => {
      const inline = lines(body).find((line) => line.startsWith('base64 '));
      const pem = inline === undefined ? body : Buffer.from(inline.slice(7), 'base64').toString();
      return pem.includes('BEGIN CERTIFICATE') ? [readCertificate(title, pem)] : [];
    });
  },
};

/** The first certificate of a PEM text. */
export function readCertificate(path: string, pem: string): Certificate {
  const found = new X509Certificate(pem);
  const names = (found.subjectAltName ?? '').split(', ');
  const of = (kind: string) => names.flatMap((name) => (name.startsWith(kind) ? [name.slice(kind.length)] : []));
  return {
    path,
    subject: oneLine(found.subject),
    issuer: oneLine(found.issuer),
    notBefore: found.validFromDate.toISOString(),
    notAfter: found.validToDate.toISOString(),
    dnsNames: of('DNS:'),
    // OpenSSL writes IPv6 without `::`.
    addresses: of('IP Address:').map((text) => parseAddress(text)?.text ?? text.toLowerCase()),
    fingerprint: found.fingerprint256.replaceAll(':', '').toLowerCase(),
  };
}

function oneLine(name: string): string {
  return name.replaceAll('\n', ', ');
}
