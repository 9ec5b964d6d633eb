/**
 * Serves the ConfigMap cluster-info as an apiserver does to those who join: `CERT KEY CA TOKEN|none PORT SERVER`. TOKEN signs it; with
 * `none` nobody has. SERVER is the URL that the kubeconfig in it names.
 */
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';

const [cert = '', key = '', ca = '', token = 'none', port = '6443', server = ''] = process.argv.slice(2);
const encode = (text: string | Buffer) => Buffer.from(text).toString('base64url');
const kubeconfig = `apiVersion: v1
kind: Config
clusters:
- name: ""
  cluster:
    certificate-authority-data: ${readFileSync(ca).toString('base64')}
    server: ${server}
contexts: []
current-context: ""
users: []
preferences: {}
`;
const [id = '', secret = ''] = token.split('.');
const header = encode(JSON.stringify({ alg: 'HS256', kid: id }));
const signature = encode(
  createHmac('sha256', secret)
    .update(`${header}.${encode(kubeconfig)}`)
    .digest(),
);
const configMap = {
  kind: 'ConfigMap',
  apiVersion: 'v1',
  metadata: { name: 'cluster-info', namespace: 'kube-public', resourceVersion: '1' },
  data: { kubeconfig, ...(token === 'none' ? {} : { [`jws-kubeconfig-${id}`]: `${header}..${signature}` }) },
};
createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (request, response) => {
  const found = request.url?.startsWith('/api/v1/namespaces/kube-public/configmaps/cluster-info') === true;
  response.writeHead(found ? 200 : 403, { 'content-type': 'application/json' });
  response.end(JSON.stringify(found ? configMap : { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 403 }));
}).listen(Number(port), '0.0.0.0');
