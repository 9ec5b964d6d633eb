import { isMap, isSeq, parseDocument } from 'yaml';
import type { Spec, SpecNode } from '../spec/spec.ts';
import { formatHostPort } from '../std/address.ts';

/**
 * admin.conf made to work from elsewhere, under the cluster's own name.
 *
 * `endpoint`: through the balancer, as every client outside does. A master's name: straight to its apiserver, which works
 * while the balancer does not; its certificate holds the node's address, so nothing has to be trusted that was not before.
 * Through a proxy (`ssh -D`) the apiserver is dialled from the far end of it.
 */
export function kubeconfigFor(
  adminConf: string,
  spec: Spec,
  opts: { readonly to: 'endpoint' | SpecNode; readonly proxyUrl?: string | undefined },
): string {
  const document = parseDocument(adminConf);
  const server =
    opts.to === 'endpoint'
      ? formatHostPort(spec.endpoint.host, spec.endpoint.port)
      : formatHostPort(opts.to.address, spec.apiServerPort);
  const name = opts.to === 'endpoint' ? spec.name : `${spec.name}-${opts.to.name}`;
  const user = `${spec.name}-admin`;
  document.setIn(['clusters', 0, 'name'], name);
  document.setIn(['clusters', 0, 'cluster', 'server'], `https://${server}`);
  if (opts.proxyUrl !== undefined) document.setIn(['clusters', 0, 'cluster', 'proxy-url'], opts.proxyUrl);
  document.setIn(['users', 0, 'name'], user);
  document.setIn(['contexts', 0, 'name'], name);
  document.setIn(['contexts', 0, 'context', 'cluster'], name);
  document.setIn(['contexts', 0, 'context', 'user'], user);
  document.set('current-context', name);
  return document.toString({ lineWidth: 0 });
}

/** Whether this is a kubeconfig with a cluster, a user and a context: anything else is not admin.conf. */
export function isKubeconfig(text: string): boolean {
  const document = parseDocument(text);
  if (document.errors.length > 0 || !isMap(document.contents)) return false;
  return ['clusters', 'users', 'contexts'].every((key) => {
    const list = document.get(key);
    return isSeq(list) && list.items.length > 0;
  });
}
