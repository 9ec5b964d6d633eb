import type { HairpinBehaviour } from '../behaviour.ts';

/** What a behaviour means to the cluster and what to do, in words. `masters` is how many share the connections. */
export interface Meaning {
  readonly meaning: string;
  readonly effect: string | undefined;
  readonly advice: string;
}

/** `domain`: the endpoint is a name, which rules out strategies that bind an address. */
export function meaningOf(behaviour: HairpinBehaviour, masters: number, domain: boolean): Meaning {
  const others = domain ? 'hosts fits' : 'bind-vip and hosts fit';
  const gap = 'but lose a master whose own apiserver stops';
  switch (behaviour) {
    case 'works':
      return {
        meaning:
          'The balancer answers its own backends too: it hides the client’s address, or sends replies back through itself.',
        effect: undefined,
        advice: 'nothing is needed: strategy direct.  hairpin plan --strategy direct',
      };
    case 'drop':
      return {
        meaning:
          'The balancer keeps the client’s address and sends a master’s own packets back to it (class A: Alibaba CLB, Azure ILB, AWS NLB, …).',
        effect:
          masters > 1
            ? `Until this is handled each master loses 1 connection in ${masters}, and a first master alone loses all.`
            : 'Until this is handled the only master loses every connection to its own endpoint.',
        advice: `strategy steer fits; ${others} ${gap}.  hairpin plan --strategy steer`,
      };
    case 'local':
      return {
        meaning:
          'The endpoint’s address is on the masters themselves (class B: GCP, LVS-DR, a VIP on lo): a master never reaches another one through it.',
        effect: 'A master whose own apiserver stops is refused at once, whatever the balancer knows.',
        advice: `strategy steer fits; ${domain ? 'hosts' : 'direct and bind-vip'} ${domain ? 'fits' : 'fit'} ${gap}.  hairpin plan --strategy steer`,
      };
    case 'one-arm':
      return {
        meaning:
          'The balancer rewrites the destination only, and servers answer clients of their own subnet directly (class C: LVS-NAT, F5 without SNAT).',
        effect: 'No machine in the masters’ subnet gets an answer through the endpoint, workers included.',
        advice:
          'turn source NAT on in the balancer; if that cannot be, strategy steer with workers: true fits.  hairpin plan --strategy steer',
      };
  }
}
