/**
 * The one collection that a stand-in serves: a config map that changes with every tick of the wall clock.
 *
 * Its resource version is the number of the tick, so all stand-ins of a lab agree on it without talking to each other,
 * and a watch that breaks off on one can be resumed on another with no event lost or seen twice, as with a real cluster.
 */
export const tickMs = 100;

/** Versions older than this are `410 Gone`, as after etcd's compaction. */
const kept = 3000;

export function versionAt(now: number): number {
  return Math.floor(now / tickMs);
}

export function object(version: number): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: {
      namespace: 'lab',
      name: 'tick',
      uid: '00000000-0000-4000-8000-000000000001',
      resourceVersion: `${version}`,
    },
    data: { tick: `${version}` },
  };
}

export function list(version: number): unknown {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMapList',
    metadata: { resourceVersion: `${version}` },
    items: [object(version)],
  };
}

export type WatchEvent = { readonly type: 'ADDED' | 'MODIFIED' | 'ERROR'; readonly object: unknown };

/**
 * The events that a watch from `since` has to see up to `now`, oldest first: without a version (or with `0`) one that
 * says how things are, with one every change after it, and an error where that is too long ago.
 */
export function eventsSince(since: string | undefined, now: number): readonly WatchEvent[] {
  if (since === undefined || since === '' || since === '0') return [{ type: 'ADDED', object: object(now) }];
  const from = Number(since);
  if (!Number.isInteger(from) || from < 0 || from > now + 1)
    return [gone(400, 'BadRequest', `resourceVersion ${since} is not one of this collection`)];
  if (from < now - kept) return [gone(410, 'Expired', `too old resource version: ${from} (${now - kept})`)];
  return changes(from, now);
}

/** One change for each version after `from`, up to and including `to`. */
export function changes(from: number, to: number): readonly WatchEvent[] {
  return Array.from({ length: Math.max(0, to - from) }, (_, i) => ({ type: 'MODIFIED', object: object(from + i + 1) }));
}

export function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

function gone(code: number, reason: string, message: string): WatchEvent {
  return { type: 'ERROR', object: status(code, reason, message) };
}
