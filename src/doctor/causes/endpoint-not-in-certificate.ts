import type { Cause } from '../cause.ts';
import { each, known, masters } from './help.ts';

export const endpointNotInCertificate: Cause = {
  id: 'endpoint-not-in-certificate',
  title: "the apiserver's certificate does not have the endpoint in it",
  needs: ['facts', 'logs'],
  why: 'clients that dial {endpoint} and check the certificate give up at the TLS handshake',
  explanation: `kubeadm puts controlPlaneEndpoint into the certificate of each apiserver when it makes it. After the endpoint was changed,
or with a certificate from somewhere else, clients end with x509 errors even though everything listens.`,
  run: 'rm /etc/kubernetes/pki/apiserver.{crt,key} && kubeadm init phase certs apiserver --control-plane-endpoint {endpoint}    (on {node}, then restart its kube-apiserver)',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      match: /x509: certificate is valid for [^"]*, not ([^\s"\\]+)/,
      unless: /Successfully registered node|Caches are synced/,
      confidence: 'certain',
      example:
        'error: error execution phase preflight: couldn\'t validate the identity of the API Server: Get "https://172.16.105.26:6443/api/v1/namespaces/kube-public/configmaps/cluster-info?timeout=10s": tls: failed to verify certificate: x509: certificate is valid for 10.96.0.1, 172.16.104.54, not 172.16.105.26',
      seenIn: 'any Go client (crypto/x509 HostnameError)',
    },
    {
      match: /x509: cannot validate certificate for (\S+) because it doesn't contain any IP SANs/,
      confidence: 'certain',
      example:
        "Unable to connect to the server: x509: cannot validate certificate for 172.16.105.26 because it doesn't contain any IP SANs",
      seenIn: 'any Go client (crypto/x509 HostnameError)',
    },
  ],
  judge(live) {
    const { endpoint } = live.spec;
    return each(masters(live), 'certain', (node) => {
      const own = known(node.facts?.certificates)?.find(({ path }) => path === '/etc/kubernetes/pki/apiserver.crt');
      if (own === undefined) return undefined;
      const has =
        endpoint.kind === 'domain' ? covers(own.dnsNames, endpoint.domain) : own.addresses.includes(endpoint.host);
      return has
        ? undefined
        : `${own.path} is for ${[...own.dnsNames, ...own.addresses].join(', ')}, not for ${endpoint.host}`;
    });
  },
};

function covers(names: readonly string[], wanted: string): boolean {
  return names.some(
    (name) =>
      name.toLowerCase() === wanted || (name.startsWith('*.') && wanted.slice(wanted.indexOf('.')) === name.slice(1)),
  );
}
