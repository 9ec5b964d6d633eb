import { promises as dns } from 'node:dns';
import type { Answer, Answers } from './names.ts';

/** Asks DNS servers for both families; never /etc/hosts, where strategy `hosts` and others put what clients should see. */
export interface NameResolver {
  ask(name: string): Promise<{ readonly answers: Answers; readonly problems: readonly string[] }>;
  close(): void;
}

/** `servers` as `HOST:PORT`; absent: those of /etc/resolv.conf, read when this is called. */
export function openResolver(servers?: readonly string[]): NameResolver {
  const resolver = new dns.Resolver({ timeout: 2000, tries: 2 });
  if (servers !== undefined && servers.length > 0) resolver.setServers(servers);
  const one = async (
    lookup: Promise<readonly { readonly address: string; readonly ttl: number }[]>,
  ): Promise<{ readonly answers: readonly Answer[] | undefined; readonly problem?: string }> => {
    try {
      return { answers: await lookup };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
      // "This name has no record of this type" is an answer; "there is no such name" may be a server's bad moment.
      return code === 'ENODATA' ? { answers: [] } : { answers: undefined, problem: code };
    }
  };
  return {
    async ask(name) {
      const [v4, v6] = await Promise.all([
        one(resolver.resolve4(name, { ttl: true })),
        one(resolver.resolve6(name, { ttl: true })),
      ]);
      const problems = [
        ...(v4.problem === undefined ? [] : [`A: ${v4.problem}`]),
        ...(v6.problem === undefined ? [] : [`AAAA: ${v6.problem}`]),
      ];
      return { answers: { v4: v4.answers, v6: v6.answers }, problems };
    },
    close: () => resolver.cancel(),
  };
}
