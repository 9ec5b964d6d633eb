import type { Binary, ComponentName } from './components.ts';

/** What is wanted: a binary of a component at a version. */
export interface Wanted {
  readonly binary: Binary;
  readonly version: string;
}

export interface Produced {
  /** Said in the manifest and to the operator: `compiled with go1.26.8`, `release site`, `directory /x`. */
  readonly source: string;
}

/**
 * A place that binaries come from. Sources are asked in turn; one that does not have a binary gives `undefined` and the
 * next is asked, one that has it and cannot hand it over whole throws.
 */
export interface Source {
  readonly name: string;
  /** Versions of a component, oldest first; empty where this source has none, `undefined` where it cannot list. */
  versions(component: ComponentName): Promise<readonly string[] | undefined>;
  has(component: ComponentName, version: string): Promise<boolean>;
  /** Tells two files of the same version apart, where this source may have another one than the rest of the world. */
  identify?(wanted: Wanted): Promise<string | undefined>;
  /** Writes the executable to `path`, which does not exist yet. */
  produce(wanted: Wanted, path: string, say: (detail: string) => void): Promise<Produced | undefined>;
}
