import { type Log, onlyChanges } from '../log/log.ts';
import { addressesOf, type Names, noNames, resolved } from './names.ts';
import { openResolver } from './resolver.ts';

export interface FollowContext {
  /** `fixed`: nothing to be asked. */
  readonly endpoint: () => { readonly host: string; readonly fixed: readonly string[] | undefined };
  readonly servers: () => readonly string[] | undefined;
  /** Addresses that are never an endpoint. */
  readonly nodes: () => ReadonlySet<string>;
  readonly found: (addresses: readonly string[], why: string) => void;
  readonly log: Log;
  readonly now: () => number;
  /** Resolves after so many ms, when the configuration has changed, or when the agent stops. */
  readonly wait: (ms: number) => Promise<void>;
  readonly signal: AbortSignal;
}

/** Keeps the addresses of the endpoint current until `signal` aborts. */
export function followName(cx: FollowContext): {
  readonly done: Promise<void>;
  readonly problem: () => string | undefined;
} {
  let names: Names = noNames;
  let problem: string | undefined;
  const say = onlyChanges((text) => {
    if (text !== undefined) cx.log.warn({}, text);
  });
  const ask = async (host: string) => {
    const resolver = openResolver(cx.servers());
    const stop = () => resolver.close();
    cx.signal.addEventListener('abort', stop, { once: true });
    const { answers, problems } = await resolver.ask(host);
    cx.signal.removeEventListener('abort', stop);
    if (cx.signal.aborted || cx.endpoint().host !== host) return;
    const next = resolved(names, answers, { at: cx.now(), forbidden: cx.nodes() });
    names = next.names;
    const wrong = [...problems, ...next.refused];
    const stays = names.addresses.size > 0 ? '; what is known stays' : '';
    problem = wrong.length === 0 ? undefined : `DNS for ${host}: ${wrong.join('; ')}${stays}`;
    say(problem);
    cx.found(addressesOf(names), 'DNS says so');
  };
  const follow = async () => {
    let last: string | undefined;
    while (!cx.signal.aborted) {
      const { host, fixed } = cx.endpoint();
      if (host !== last) names = noNames;
      last = host;
      if (fixed !== undefined) {
        problem = undefined;
        cx.found(fixed, 'the configuration says so');
        await cx.wait(longMs);
        continue;
      }
      await ask(host);
      await cx.wait(names.askAgainAt - cx.now());
    }
  };
  return { done: follow(), problem: () => problem };
}

/** Nothing changes by itself; only a new configuration does. */
const longMs = 24 * 3_600_000;
