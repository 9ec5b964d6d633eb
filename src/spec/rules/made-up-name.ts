import type { Rule } from './rule.ts';

/** Top-level names that are kept out of public DNS (RFC 6761, RFC 6762, RFC 9476, ICANN's `internal`), and customs. */
const privateTops = new Set([
  'alt',
  'corp',
  'home',
  'internal',
  'intranet',
  'invalid',
  'lan',
  'local',
  'localhost',
  'private',
]);

/**
 * A name that no DNS server can know must bring its addresses. Public top-level names have letters only, or start with
 * `xn--`; `cluster.k8sapiserver` of the article is certainly made up. For `.internal` and the like a server of the user's
 * own may answer.
 */
export const madeUpName: Rule = {
  name: 'made-up-name',
  holds: 'a name that DNS cannot know comes with its addresses',
  codes: ['SPEC_NAME_NEEDS_ADDRESSES'],
  reads: ['endpoint'],
  check({ spec }) {
    const { endpoint } = spec;
    if (endpoint.kind !== 'domain' || endpoint.addresses.length > 0) return [];
    const labels = endpoint.domain.split('.');
    const top = labels.at(-1) ?? '';
    const impossible =
      labels.length === 1 || top === 'localhost' || top === 'invalid' || !/^([a-z]{2,}|xn--.*)$/.test(top);
    if (!impossible && !privateTops.has(top)) return [];
    return [
      {
        at: ['spec', 'endpoint', 'domain'],
        code: 'SPEC_NAME_NEEDS_ADDRESSES',
        severity: impossible ? 'error' : 'warning',
        problem: impossible
          ? `no DNS server knows ${endpoint.domain}: \`${top}\` is no top-level domain`
          : `public DNS does not know names in \`.${top}\``,
        expected: "`endpoint.addresses` with the balancer's",
        hint: impossible ? undefined : 'leave it as it is when your own DNS server answers every node',
      },
    ];
  },
};
