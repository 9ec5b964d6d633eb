/**
 * What the stand-ins of a lab write to and read from, in place of etcd: config maps with one counter of revisions. Pure
 * but for the values it holds; one process of the lab has it, so that what one stand-in has acknowledged the next one
 * shows, and a stand-in that is killed takes nothing with it.
 */
export interface StoredMap {
  readonly name: string;
  readonly version: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly data: Readonly<Record<string, string>>;
}

export type StoreRequest =
  | {
      readonly op: 'create';
      readonly name: string;
      readonly labels: StoredMap['labels'];
      readonly data: StoredMap['data'];
    }
  | {
      readonly op: 'replace';
      readonly name: string;
      readonly labels: StoredMap['labels'];
      readonly data: StoredMap['data'];
      /** Only over this version. */
      readonly over?: number;
    }
  | { readonly op: 'get'; readonly name: string }
  | { readonly op: 'list'; readonly label?: { readonly name: string; readonly value: string } }
  | { readonly op: 'clear' };

export type StoreReply =
  | { readonly is: 'map'; readonly map: StoredMap }
  | { readonly is: 'maps'; readonly version: number; readonly maps: readonly StoredMap[] }
  | { readonly is: 'exists' }
  | { readonly is: 'not-found' }
  | { readonly is: 'conflict' };

export function createStore(): (request: StoreRequest) => StoreReply {
  const maps = new Map<string, StoredMap>();
  let version = 1;
  const put = (request: Extract<StoreRequest, { op: 'create' | 'replace' }>): StoreReply => {
    version += 1;
    const map: StoredMap = { name: request.name, version, labels: request.labels, data: request.data };
    maps.set(map.name, map);
    return { is: 'map', map };
  };
  return (request) => {
    switch (request.op) {
      case 'create':
        return maps.has(request.name) ? { is: 'exists' } : put(request);
      case 'replace': {
        const there = maps.get(request.name);
        if (there === undefined) return { is: 'not-found' };
        return request.over !== undefined && request.over !== there.version ? { is: 'conflict' } : put(request);
      }
      case 'get': {
        const map = maps.get(request.name);
        return map === undefined ? { is: 'not-found' } : { is: 'map', map };
      }
      case 'list': {
        const { label } = request;
        const chosen = [...maps.values()].filter(
          (map) => label === undefined || map.labels[label.name] === label.value,
        );
        return { is: 'maps', version, maps: chosen };
      }
      case 'clear':
        maps.clear();
        version += 1;
        return { is: 'maps', version, maps: [] };
    }
  };
}
