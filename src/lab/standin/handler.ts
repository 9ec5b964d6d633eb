import type { StoredMap, StoreReply, StoreRequest } from '../store/store.ts';
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
  body(): Promise<string>;
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

/** The collection that can be written, and not watched: the drill's register and set. */
const writable = '/api/v1/namespaces/drill/configmaps';

/** Asks the store that all stand-ins share; throws when it does not answer. */
export type AskStore = (request: StoreRequest) => Promise<StoreReply>;

/** Answers one request as a kube-apiserver would: health, version, a list and a watch; config maps that can be written. */
export async function answer(
  { machine, port }: { readonly machine: string; readonly port: number },
  switches: StandinSwitches,
  exchange: Exchange,
  askStore: AskStore,
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
  if (url.pathname === writable || url.pathname.startsWith(`${writable}/`)) {
    const { code, body } = await answerWritable(exchange, url, askStore);
    json(code, body);
    return;
  }
  if (exchange.method !== 'GET') {
    json(405, status(405, 'MethodNotAllowed', `the stand-in of ${machine} only answers GET at ${url.pathname}`));
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

interface MapText {
  readonly metadata?: {
    readonly name?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly resourceVersion?: string;
  };
  readonly data?: Readonly<Record<string, string>>;
}

async function answerWritable(
  exchange: Exchange,
  url: URL,
  askStore: AskStore,
): Promise<{ readonly code: number; readonly body: unknown }> {
  const { method } = exchange;
  const body = () => exchange.body();
  const name = decodeURIComponent(url.pathname.slice(writable.length + 1));
  switch (`${method} ${name === '' ? 'all' : 'one'}`) {
    case 'GET all': {
      const [key, value] = (url.searchParams.get('labelSelector') ?? '').split('=');
      const label = key === undefined || value === undefined ? {} : { label: { name: key, value } };
      return fromStore(await askStore({ op: 'list', ...label }), 200);
    }
    case 'DELETE all':
      return fromStore(await askStore({ op: 'clear' }), 200);
    case 'GET one':
      return fromStore(await askStore({ op: 'get', name }), 200);
    case 'POST all': {
      const { metadata, data } = JSON.parse(await body()) as MapText;
      const map = { name: metadata?.name ?? '', labels: metadata?.labels ?? {}, data: data ?? {} };
      return fromStore(await askStore({ op: 'create', ...map }), 201);
    }
    case 'PUT one': {
      const { metadata, data } = JSON.parse(await body()) as MapText;
      const over = metadata?.resourceVersion === undefined ? {} : { over: Number(metadata.resourceVersion) };
      return fromStore(
        await askStore({ op: 'replace', name, labels: metadata?.labels ?? {}, data: data ?? {}, ...over }),
        200,
      );
    }
    default:
      return { code: 405, body: status(405, 'MethodNotAllowed', `${method} ${url.pathname}`) };
  }
}

function fromStore(reply: StoreReply, code: number): { readonly code: number; readonly body: unknown } {
  const map = ({ name, version, labels, data }: StoredMap) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { namespace: 'drill', name, resourceVersion: `${version}`, labels },
    data,
  });
  switch (reply.is) {
    case 'map':
      return { code, body: map(reply.map) };
    case 'maps':
      return {
        code,
        body: {
          apiVersion: 'v1',
          kind: 'ConfigMapList',
          metadata: { resourceVersion: `${reply.version}` },
          items: reply.maps.map(map),
        },
      };
    case 'exists':
      return { code: 409, body: status(409, 'AlreadyExists', 'it exists already') };
    case 'not-found':
      return { code: 404, body: status(404, 'NotFound', 'there is none') };
    case 'conflict':
      return { code: 409, body: status(409, 'Conflict', 'it has been changed') };
  }
}
