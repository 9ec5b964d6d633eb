import { address, parseAddress } from '../../std/address.ts';
import { quoteArg } from '../../std/quote.ts';
import { parseIpJson } from '../ip-json.ts';
import { type Probe, sections } from '../probe.ts';
import type { EndpointRoute } from '../types.ts';
import type { IpRoute } from './routes.ts';

/** What the kernel would do with a packet to each endpoint address. No packet is sent. */
export const endpointRoutes: Probe<readonly EndpointRoute[]> = {
  script: (ask) =>
    [
      ...ask.endpointAddresses.map((a) => {
        const text = quoteArg(a.text);
        return `echo @${text}; ip -${a.family} -json route get ${text} || :; echo`;
      }),
      ':',
    ].join('\n'),

  parse(text) {
    return sections(text).map(({ title, body }): EndpointRoute => {
      const route = parseIpJson<IpRoute>(body)[0];
      const dead = route === undefined || ['unreachable', 'blackhole', 'prohibit'].includes(route.type ?? '');
      return {
        address: address(title),
        is: dead ? 'none' : route.type === 'local' ? 'local' : 'unicast',
        via: parseAddress(route?.gateway ?? route?.via?.host ?? ''),
        device: route?.dev,
        source: parseAddress(route?.prefsrc ?? ''),
      };
    });
  },
};
