import { lines, type Probe } from '../probe.ts';
import type { Resolver } from '../types.ts';

export const resolver: Probe<Resolver> = {
  script: () => 'cat /etc/resolv.conf',

  parse(text) {
    const words = lines(text).map((line) => line.trim().split(/\s+/));
    return {
      nameservers: words.flatMap(([key, value]) => (key === 'nameserver' && value !== undefined ? [value] : [])),
      // The last one counts, as in resolv.conf(5).
      search: words.findLast(([key]) => key === 'search' || key === 'domain')?.slice(1) ?? [],
    };
  },
};
