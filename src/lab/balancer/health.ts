import type { HealthCheck } from '../../balancer/behaviour.ts';

/**
 * A backend's health as thresholds make it from single checks.
 *
 * `initial` is a backend that has never passed: its first success admits it at once, as cloud balancers do with a newly
 * registered target. After that `fall` failures in a row eject it and `rise` successes in a row admit it again.
 */
export interface Health {
  readonly is: 'initial' | 'healthy' | 'unhealthy';
  /** Results in a row that contradict `is`. */
  readonly against: number;
}

export const unknownHealth: Health = { is: 'initial', against: 0 };

export function afterCheck(health: Health, passed: boolean, check: Pick<HealthCheck, 'rise' | 'fall'>): Health {
  switch (health.is) {
    case 'initial':
      return passed ? { is: 'healthy', against: 0 } : health;
    case 'healthy':
      if (passed) return { is: 'healthy', against: 0 };
      return health.against + 1 >= check.fall
        ? { is: 'unhealthy', against: 0 }
        : { is: 'healthy', against: health.against + 1 };
    case 'unhealthy':
      if (!passed) return { is: 'unhealthy', against: 0 };
      return health.against + 1 >= check.rise
        ? { is: 'healthy', against: 0 }
        : { is: 'unhealthy', against: health.against + 1 };
  }
}
