import type { HairpinBehaviour } from '../balancer/behaviour.ts';
import type { Spec, StrategyName } from '../spec/spec.ts';
import { type BoundStrategy, bindStrategy, type NamedStrategy } from './strategies.ts';
import type { BaseContext, Unsuitable } from './strategy.ts';

export interface Choice {
  readonly strategy: BoundStrategy;
  readonly because: string;
  /** Of the strategy that was asked for, or of the one that `auto` would have taken. */
  readonly unsuitable: Unsuitable | undefined;
}

/** The strategy that the spec asks for, or for `auto` the first one of the list below that fits. */
export function chooseStrategy(base: BaseContext): Choice {
  const { spec, behaviour } = base;
  if (spec.strategy.name !== 'auto') {
    const strategy = bindStrategy(spec.strategy, base);
    return { strategy, because: 'asked for', unsuitable: strategy.unsuitable() };
  }
  const tried = candidates(spec, behaviour).map(({ options, because }) => {
    const strategy = bindStrategy(options, base);
    return { strategy, because, unsuitable: strategy.unsuitable() };
  });
  const choice = tried.find((candidate) => candidate.unsuitable === undefined) ?? tried[0];
  if (choice === undefined) throw new TypeError('The list of candidates is never empty');
  return choice;
}

/** The options a strategy has when nobody wrote any. */
export function defaultOptions(name: StrategyName, spec: Spec): NamedStrategy {
  switch (name) {
    case 'direct':
    case 'bind-vip':
      return { name };
    case 'hosts':
      return { name, to: 'loopback' };
    case 'keepalived-haproxy':
      return { name, vrrp: 'unicast', port: spec.endpoint.port };
    case 'keepalived-vip':
      return { name, interface: undefined, routerId: 51, port: spec.endpoint.port };
    case 'steer':
      return { name, workers: false };
  }
}

interface Candidate {
  readonly options: NamedStrategy;
  readonly because: string;
}

function candidates(spec: Spec, behaviour: HairpinBehaviour | undefined): readonly Candidate[] {
  const of = (name: StrategyName, because: string): Candidate => ({ options: defaultOptions(name, spec), because });
  if (spec.balancer === undefined)
    return [of('keepalived-vip', 'there is no balancer: the masters hold the endpoint themselves')];
  const withoutNft = [
    of('hosts', 'steer does not fit here, and the endpoint is a name'),
    of('bind-vip', 'steer does not fit here, and the endpoint is an address'),
  ];
  switch (behaviour) {
    case 'works':
      return [of('direct', 'the balancer sends a master back to itself without trouble; nothing has to be added')];
    case 'one-arm':
      return [
        {
          options: { name: 'steer', workers: true },
          because: "no node in the masters' subnet reaches the endpoint, so workers are steered too",
        },
      ];
    case 'drop':
      return [
        of(
          'steer',
          'the balancer drops a master that it sends back to itself; steered masters survive their own apiserver, too',
        ),
        ...withoutNft,
      ];
    case 'local':
      return [
        of(
          'steer',
          'the endpoint is an address of every master; steered masters reach the others when their own apiserver is down',
        ),
        ...withoutNft,
      ];
    case undefined:
      return [of('steer', 'nobody has measured the balancer, and steering is right whatever it does'), ...withoutNft];
  }
}
