import { parseAddress } from '../../std/address.ts';
import { parseIpJson } from '../ip-json.ts';
import { type Probe, sections } from '../probe.ts';
import type { Route } from '../types.ts';

export interface IpRoute {
  readonly type?: string;
  readonly dst?: string;
  readonly gateway?: string;
  readonly via?: { readonly host?: string };
  readonly dev?: string;
  readonly prefsrc?: string;
  readonly metric?: number;
}

/** The main table of both families. */
export const routes: Probe<readonly Route[]> = {
  script: () => 'echo @4; ip -4 -json route show; echo; echo @6; ip -6 -json route show || :',

  parse(text) {
    return sections(text).flatMap(({ title, body }) =>
      parseIpJson<IpRoute>(body).map((route): Route => {
        const family = title === '6' ? 6 : 4;
        const to = route.dst ?? 'default';
        return {
          family,
          to: to === 'default' || to.includes('/') ? to : `${to}/${family === 4 ? 32 : 128}`,
          via: parseAddress(route.gateway ?? route.via?.host ?? ''),
          device: route.dev,
          source: parseAddress(route.prefsrc ?? ''),
          metric: route.metric,
        };
      }),
    );
  },
};
