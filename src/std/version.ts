/**
 * A Kubernetes version. `text` is canonical (`v1.37.2`, `v1.38.0-rc.1`), so two equal versions have equal texts.
 * `parseVersion` is the only door.
 */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: string | undefined;
  readonly text: string;
}

/** Reads `v1.37.2`, with or without the v; `undefined` for anything else, `v1.37` and `latest` included. */
export function parseVersion(text: string): Version | undefined {
  const match =
    /^v?(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$/.exec(text);
  if (match === null) return undefined;
  const [major, minor, patch] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const prerelease = match[4];
  const suffix = prerelease === undefined ? '' : `-${prerelease}`;
  return { major, minor, patch, prerelease, text: `v${major}.${minor}.${patch}${suffix}` };
}

/** As `parseVersion`, for text that was already checked. Throws `SyntaxError` otherwise. */
export function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new SyntaxError(`Not a version: ${JSON.stringify(text)}`);
  return parsed;
}

/** Negative, zero or positive, as `sort` wants it. A pre-release is older than its release (semver 11). */
export function compareVersions(a: Version, b: Version): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch || comparePrereleases(a.prerelease, b.prerelease);
}

/** True for `major.minor` or anything newer, whatever the patch; pre-releases of that minor count. */
export function atLeast(v: Version, major: number, minor: number): boolean {
  return v.major > major || (v.major === major && v.minor >= minor);
}

function comparePrereleases(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return 1;
  if (b === undefined) return -1;
  const [left, right] = [a.split('.'), b.split('.')];
  for (let i = 0; i < Math.max(left.length, right.length); i += 1) {
    const difference = compareIdentifiers(left[i], right[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers count as numbers and come before words; a missing identifier comes first. */
function compareIdentifiers(a: string | undefined, b: string | undefined): number {
  if (a === b) return 0;
  if (a === undefined) return -1;
  if (b === undefined) return 1;
  const [isNumberA, isNumberB] = [/^\d+$/.test(a), /^\d+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a < b ? -1 : 1;
}
