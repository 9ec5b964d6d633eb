import { OperatorError } from '../../errors/operator-error.ts';
import { balancerCatalog } from './catalog.ts';
import type { BalancerCatalog, LabInput } from './input.ts';
import type { LabSpec } from './lab-spec.ts';
import { resolveLab } from './resolve.ts';

/** The flags of `lab up`, as they were typed. */
export interface LabFlags {
  readonly lab?: string | undefined;
  readonly tier?: string | undefined;
  readonly masters?: string | undefined;
  readonly workers?: string | undefined;
  readonly clients?: string | undefined;
  readonly balancer?: string | undefined;
  readonly endpoint?: string | undefined;
  readonly kubernetes?: string | undefined;
  readonly ip?: string | undefined;
  readonly network?: string | undefined;
  readonly bare?: boolean | undefined;
}

/** Where a problem that `resolveLab` finds was typed. */
const flagOf: Readonly<Record<string, string>> = {
  'metadata.name': '--lab',
  'spec.tier': '--tier',
  'spec.masters': '--masters',
  'spec.workers': '--workers',
  'spec.clients': '--clients',
  'spec.balancer': '--balancer',
  'spec.endpoint': '--endpoint',
  'spec.kubernetes': '--kubernetes',
  'spec.ip': '--ip',
  'spec.network': '--network',
};

/** A whole spec from flags, or one USAGE error that names every flag that is wrong, what was expected and what to do. */
export function parseLabFlags(flags: LabFlags, catalog: BalancerCatalog = balancerCatalog()): LabSpec {
  const wrong: string[] = [];
  const oneOf = <const T extends string>(
    key: Exclude<keyof LabFlags, 'bare'>,
    allowed: readonly T[],
  ): T | undefined => {
    const value = flags[key];
    if (value === undefined || allowed.some((a) => a === value)) return value as T | undefined;
    wrong.push(`--${key}: \`${value}\` is none of its values; expected ${allowed.join(', ')}`);
    return undefined;
  };
  const count = (key: 'masters' | 'workers' | 'clients'): number | undefined => {
    const value = flags[key];
    if (value === undefined) return undefined;
    if (/^\d{1,9}$/.test(value)) return Number(value);
    wrong.push(`--${key}: \`${value}\` is not a number; expected how many ${key}, such as 3`);
    return undefined;
  };
  const endpoint = oneOf('endpoint', ['vip', 'domain']);
  const network = oneOf('network', ['routed', 'segment']);
  const input: LabInput = {
    name: flags.lab,
    tier: oneOf('tier', ['wire', 'node']),
    kubernetes: flags.kubernetes,
    ip: oneOf('ip', ['4', '6', 'dual']),
    masters: count('masters'),
    workers: count('workers'),
    clients: count('clients'),
    balancer: flags.balancer,
    ...(flags.bare === true ? { bare: true } : {}),
    ...(endpoint === undefined ? {} : { endpoint: { kind: endpoint } }),
    ...(network === undefined ? {} : { network: { kind: network } }),
  };
  const resolved = resolveLab(input, catalog);
  if (!resolved.ok) {
    for (const { path, problem, expected, hint } of resolved.problems) {
      const flag = flagOf[path.slice(0, 2).join('.')] ?? path.join('.');
      wrong.push(
        [
          `${flag}: ${problem}`,
          expected === undefined ? '' : `; expected ${expected}`,
          hint === undefined ? '' : `; ${hint}`,
        ].join(''),
      );
    }
  }
  if (resolved.ok && wrong.length === 0) return resolved.spec;
  throw new OperatorError('USAGE', `Cannot make a lab like this: ${wrong.join('\n  ')}`, {
    hint: 'see `hairpin lab up --help`; nothing was made',
  });
}
