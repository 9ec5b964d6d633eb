/** `v1.37.2` from `1.37.2` or `v1.37.2`; `undefined` where it is no version. */
export function parseVersion(text: string): string | undefined {
  const match = /^v?(\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)$/.exec(text.trim());
  return match === null ? undefined : `v${match[1]}`;
}

/** Numbers of a release; pre-releases are `undefined`: the lab never picks one by itself. */
export function release(version: string): readonly [number, number, number] | undefined {
  const match = /^v(\d+)\.(\d+)\.(\d+)$/.exec(version);
  return match === null ? undefined : [Number(match[1]), Number(match[2]), Number(match[3])];
}

export function compareReleases(a: string, b: string): number {
  const [x, y] = [release(a) ?? [0, 0, 0], release(b) ?? [0, 0, 0]];
  return x[0] - y[0] || x[1] - y[1] || x[2] - y[2];
}

/**
 * The version to build where `wanted` may not be there: itself; else the nearest later patch of the same minor, the
 * newest patch of the same minor, or the newest release. Within a minor both etcd and CoreDNS keep their
 * data and configuration formats, across minors only newer ones read older ones.
 */
export function nearestVersion(wanted: string, available: readonly string[]): string | undefined {
  if (available.includes(wanted)) return wanted;
  const releases = available.filter((version) => release(version) !== undefined).toSorted(compareReleases);
  const minor = (version: string) => version.split('.').slice(0, 2).join('.');
  const same = releases.filter((version) => minor(version) === minor(wanted));
  return same.find((version) => compareReleases(version, wanted) > 0) ?? same.at(-1) ?? releases.at(-1);
}
