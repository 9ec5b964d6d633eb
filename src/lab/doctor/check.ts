import type { Tier } from '../spec/lab-spec.ts';

/**
 * What is known about one thing that a lab needs from this machine.
 *
 * `absent` with `remedy` stops a lab; `note` is worth knowing and stops nothing; `unmeasured` means that the lab may
 * well work this way and that nobody has seen it.
 */
export type Finding =
  | { readonly is: 'ok'; readonly saw: string }
  | { readonly is: 'absent'; readonly saw: string; readonly remedy: string }
  | { readonly is: 'unmeasured'; readonly saw: string }
  | { readonly is: 'note'; readonly saw: string };

/** Where the checks look and how big the lab is to be. */
export interface HostContext {
  readonly stateDir: string;
  readonly cacheDir: string;
  /** Masters and workers of the lab that is planned. */
  readonly nodes: number;
  readonly kubernetes: string;
  readonly signal: AbortSignal;
  /** What the kernel let us do in namespaces that are gone already, by name; see kernel-trial.ts. */
  readonly trials: ReadonlyMap<string, string | undefined>;
}

/** One thing that a lab of these tiers needs from this machine. Checks only look. */
export interface HostCheck {
  readonly name: string;
  /** A sentence that is true when all is well. */
  readonly title: string;
  readonly tiers: readonly Tier[];
  ask(cx: HostContext): Promise<Finding>;
}
