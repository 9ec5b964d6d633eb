import { lines, type Probe } from '../probe.ts';
import type { Listener } from '../types.ts';

export const listening: Probe<readonly Listener[]> = {
  script: () => 'ss -H -lntup',

  parse(text) {
    return lines(text).map((line): Listener => {
      const [protocol, , , , local = '', , ...rest] = line.trim().split(/\s+/);
      const colon = local.lastIndexOf(':');
      const users = [...rest.join(' ').matchAll(/\("([^"]*)",pid=(\d+)/g)];
      if (colon === -1 || (protocol !== 'tcp' && protocol !== 'udp'))
        throw new SyntaxError(`not a line of ss: ${line}`);
      return {
        protocol,
        // `[::]`, and `127.0.0.53%lo` for sockets bound to a device.
        address: local
          .slice(0, colon)
          .replace(/^\[|\]$/g, '')
          .replace(/%.*$/, '')
          .replace(/\]$/, ''),
        port: Number(local.slice(colon + 1)),
        programs: [...new Set(users.map((user) => user[1] ?? ''))],
        pids: users.map((user) => Number(user[2])),
      };
    });
  },
};
