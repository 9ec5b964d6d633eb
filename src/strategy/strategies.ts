import type { StrategyName, StrategySpec } from '../spec/spec.ts';
import { bindVip } from './bind-vip.ts';
import { direct } from './direct.ts';
import { hosts } from './hosts.ts';
import { keepalivedHaproxy } from './keepalived-haproxy.ts';
import { keepalivedVip } from './keepalived-vip.ts';
import { steer } from './steer.ts';
import type { BaseContext, Strategy, StrategyContext } from './strategy.ts';

/** The list; what each is, is in its file. */
export const strategies = {
  direct,
  'bind-vip': bindVip,
  hosts,
  'keepalived-haproxy': keepalivedHaproxy,
  'keepalived-vip': keepalivedVip,
  steer,
} as const satisfies { readonly [N in StrategyName]: Strategy<N> };

/** A strategy together with its own options, so that whoever uses it need not know which one it is. */
export interface BoundStrategy extends Omit<Strategy, 'unsuitable' | 'warnings' | 'tools' | 'wants' | 'route'> {
  readonly context: StrategyContext;
  unsuitable(): ReturnType<Strategy['unsuitable']>;
  warnings(): ReturnType<Strategy['warnings']>;
  tools(place: Parameters<Strategy['tools']>[1]): ReturnType<Strategy['tools']>;
  wants(
    place: Parameters<Strategy['wants']>[1],
    moment: Parameters<Strategy['wants']>[2],
  ): ReturnType<Strategy['wants']>;
  route(
    place: Parameters<Strategy['route']>[1],
    moment: Parameters<Strategy['route']>[2],
  ): ReturnType<Strategy['route']>;
}

export type NamedStrategy = Exclude<StrategySpec, { readonly name: 'auto' }>;

export function bindStrategy(options: NamedStrategy, base: BaseContext): BoundStrategy {
  // The one place where name and options are known to belong together without the compiler seeing it.
  const strategy = strategies[options.name] as unknown as Strategy;
  const context: StrategyContext = { ...base, options };
  return {
    name: strategy.name,
    summary: strategy.summary,
    doesNotSurvive: strategy.doesNotSurvive,
    context,
    unsuitable: () => strategy.unsuitable(context),
    warnings: () => strategy.warnings(context),
    tools: (place) => strategy.tools(context, place),
    wants: (place, moment) => strategy.wants(context, place, moment),
    route: (place, moment) => strategy.route(context, place, moment),
  };
}
