import type { AllDown } from '../../balancer/behaviour.ts';
import type { Weighted } from '../../render/nftables/spread.ts';

/** What is known and wanted of one backend. */
export interface BackendState {
  readonly name: string;
  readonly health: 'initial' | 'healthy' | 'unhealthy';
  /** Set by hand: `in` and `out` overrule the health check. */
  readonly forced: 'in' | 'out' | undefined;
  readonly weight: number;
}

/** Who gets new connections. `failOpen` when that is everybody because nobody is healthy; no targets means refuse. */
export interface Rotation {
  readonly targets: readonly Weighted<string>[];
  readonly failOpen: boolean;
}

export function rotationOf(backends: readonly BackendState[], allDown: AllDown): Rotation {
  const usable = backends.filter((b) => b.weight > 0 && b.forced !== 'out');
  const good = usable.filter((b) => b.forced === 'in' || b.health === 'healthy');
  const failOpen = good.length === 0 && allDown === 'all' && usable.length > 0;
  return {
    targets: (failOpen ? usable : good).map((b) => ({ target: b.name, weight: b.weight })),
    failOpen,
  };
}

export function isIn(rotation: Rotation, name: string): boolean {
  return rotation.targets.some(({ target }) => target === name);
}

export function sameRotation(a: Rotation, b: Rotation): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
