import { changes, eventsSince, list, object, status, tickMs, versionAt } from './collection.ts';

/** What can be switched on a stand-in while it runs. */
export interface StandinSwitches {
  /** Not ready: /readyz says 500, everything else goes on, as during `--shutdown-delay-duration`. */
  ready: boolean;
  /** Not alive: /livez and /healthz say 500 as well. */
  live: boolean;
  /** Every answer waits this long. */
  delayMs: number;
  /** Addresses that `default/kubernetes` announces. */
  members: readonly string[];
}

/** The parts of a request and a response that HTTP/1.1 and HTTP/2 have in common. */
export interface Exchange {
  readonly method: string;
  readonly url: string;
  readonly client: string;
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** Gives false when the other side has gone. */
  write(text: string): boolean;
  end(text?: string): void;
  onClose(then: () => void): void;
}

/** What kube-apiservers say of themselves: one subset with everybody whose lease is fresh. */
function kubernetesEndpoints(members: readonly string[], port: number): unknown {
  const addresses = members.map((ip) => ({ ip }));
  return {
    kind: 'Endpoints',
    apiVersion: 'v1',
    metadata: { name: 'kubernetes', namespace: 'default', resourceVersion: '1' },
    subsets: members.length === 0 ? [] : [{ addresses, ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  };
}

/** Answers one request as a kube-apiserver would: health, version, a list and a watch. */
export async function answer(
  { machine, port }: { readonly machine: string; readonly port: number },
  switches: StandinSwitches,
  exchange: Exchange,
): Promise<void> {
  if (switches.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, switches.delayMs));
  const url = new URL(exchange.url, 'https://standin');
  const common = { 'x-lab-machine': machine, 'x-lab-client': exchange.client };
  const text = (code: number, body: string) => {
    exchange.head(code, { ...common, 'content-type': 'text/plain; charset=utf-8' });
    exchange.end(body);
  };
  const json = (code: number, body: unknown) => {
    exchange.head(code, { ...common, 'content-type': 'application/json' });
    exchange.end(`${JSON.stringify(body)}\n`);
  };
  if (exchange.method !== 'GET') {
    json(405, status(405, 'MethodNotAllowed', `the stand-in of ${machine} only answers GET`));
    return;
  }
  switch (url.pathname) {
    case '/livez':
    case '/healthz':
      text(switches.live ? 200 : 500, switches.live ? 'ok' : 'livez check failed\n');
      return;
    case '/readyz': {
      const ready = switches.live && switches.ready;
      text(ready ? 200 : 500, ready ? 'ok' : '[-]shutdown failed: reason withheld\nreadyz check failed\n');
      return;
    }
    case '/version':
      json(200, { major: '1', minor: '0', gitVersion: 'v1.0.0-standin', platform: `lab/${machine}` });
      return;
    case '/api/v1/configmaps':
    case '/api/v1/namespaces/lab/configmaps':
      if (['true', '1'].includes(url.searchParams.get('watch') ?? '')) watch(exchange, common, url.searchParams);
      else json(200, list(versionAt(Date.now())));
      return;
    case '/api/v1/namespaces/default/endpoints/kubernetes':
      json(200, kubernetesEndpoints(switches.members, port));
      return;
    case '/api/v1/namespaces/lab/configmaps/tick':
      json(200, object(versionAt(Date.now())));
      return;
    default:
      json(404, status(404, 'NotFound', `the stand-in of ${machine} has nothing at ${url.pathname}`));
  }
}

/** Streams events until the client goes or its `timeoutSeconds` are over. */
function watch(exchange: Exchange, headers: Readonly<Record<string, string>>, query: URLSearchParams): void {
  exchange.head(200, { ...headers, 'content-type': 'application/json' });
  let seen = versionAt(Date.now());
  for (const event of eventsSince(query.get('resourceVersion') ?? undefined, seen)) {
    exchange.write(`${JSON.stringify(event)}\n`);
    if (event.type === 'ERROR') {
      exchange.end();
      return;
    }
  }
  const timer = setInterval(() => {
    const now = versionAt(Date.now());
    for (const event of changes(seen, now)) exchange.write(`${JSON.stringify(event)}\n`);
    // The wall clock may be set back; versions never go down.
    seen = Math.max(seen, now);
  }, tickMs);
  const seconds = Number(query.get('timeoutSeconds') ?? Number.NaN);
  const limit = seconds > 0 ? setTimeout(() => exchange.end(), seconds * 1000) : undefined;
  exchange.onClose(() => {
    clearInterval(timer);
    clearTimeout(limit);
  });
}
