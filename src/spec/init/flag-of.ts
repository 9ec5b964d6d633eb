import type { Diagnostic } from '../../errors/diagnostic.ts';

const flags: readonly (readonly [path: RegExp, flag: string])[] = [
  [/^metadata\.name/, '--name'],
  [/^spec\.kubernetes\.version/, '--kubernetes'],
  [/^spec\.kubernetes\.imageRepository/, '--image-repository'],
  [/^spec\.kubernetes\.podSubnet/, '--pod-subnet'],
  [/^spec\.kubernetes\.serviceSubnet/, '--service-subnet'],
  [/^spec\.kubernetes\.cni/, '--cni'],
  [/^spec\.endpoint\.addresses/, '--endpoint-addresses'],
  [/^spec\.endpoint/, '--endpoint'],
  [/^spec\.balancer\.hairpin/, '--hairpin'],
  [/^spec\.balancer/, '--balancer'],
  [/^spec\.strategy/, '--strategy'],
  [/^spec\.apiServerPort/, '--api-server-port'],
  [/^spec\.nodes/, '--masters, --workers or the inventory'],
  [/^spec\.ssh\.user/, '--ssh-user'],
  [/^spec\.ssh\.port/, '--ssh-port'],
  [/^spec\.ssh\.configFile/, '--ssh-config'],
  [/^spec\.ssh\.identityFile/, '--identity-file'],
  [/^spec\.ssh\.proxyJump/, '--proxy-jump'],
];

/** A problem of a file that was made from flags, said of the flag: the file is not written, so its lines mean nothing. */
export function sayOfFlag(d: Diagnostic): string {
  const flag = flags.find(([path]) => path.test(d.path))?.[1] ?? d.path;
  const expected = d.expected === undefined ? '' : `; expected ${d.expected}`;
  const hint = d.hint === undefined ? '' : ` (${d.hint})`;
  return `${flag}: ${d.problem}${expected}${hint}`;
}
