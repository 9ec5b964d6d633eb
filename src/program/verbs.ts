import { keepTrim } from './trim.ts';

/** The verbs that systemd starts on a node (docs/decisions/0008): `hairpin agent VERB --config FILE`. */
export const daemonVerbs = ['run', 'steerer', 'pods', 'mirror', 'hold-test', 'withdraw', 'traffic'] as const;
export type DaemonVerb = (typeof daemonVerbs)[number];

export function isDaemonVerb(verb: string | undefined): verb is DaemonVerb {
  return daemonVerbs.some((known) => known === verb);
}

/** Each is loaded only when it is the one that runs. */
export async function runDaemonVerb(verb: DaemonVerb, args: readonly string[]): Promise<void> {
  keepTrim();
  switch (verb) {
    case 'mirror': {
      const { mirrorVerb } = await import('../agent/mirror/verb.ts');
      return await mirrorVerb(args);
    }
    case 'steerer': {
      const { steererVerb } = await import('../agent/steerer/verb.ts');
      return await steererVerb(args);
    }
    case 'withdraw': {
      const { withdrawVerb } = await import('../agent/steerer/withdraw-verb.ts');
      return await withdrawVerb();
    }
    case 'traffic': {
      const { trafficVerb } = await import('../drill/traffic/verb.ts');
      return await trafficVerb(args);
    }
    case 'hold-test': {
      const { holdTestVerb } = await import('../agent/steerer/hold-test-verb.ts');
      return await holdTestVerb();
    }
    case 'pods': {
      const { podsVerb } = await import('../agent/pods/verb.ts');
      return await podsVerb(args);
    }
    case 'run': {
      const { proberVerb } = await import('../agent/prober/verb.ts');
      return await proberVerb(args);
    }
  }
}
