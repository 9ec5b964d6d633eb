import type { BalancerConfig } from '../../balancer/behaviour.ts';
import { type Address, type Cidr, type Family, parseAddress } from '../../std/address.ts';
import { closest } from '../../std/closest.ts';
import { parseVersion } from '../../std/version.ts';
import { labNamePattern } from '../topology/names.ts';
import { defaults } from './defaults.ts';
import type { BalancerCatalog, CatalogEntry, LabInput, LabProblem } from './input.ts';
import type { LabSpec, NetworkKind } from './lab-spec.ts';
import { resolveEndpoint } from './resolve-endpoint.ts';
import { resolveMachines } from './resolve-machines.ts';
import { resolveSubnets } from './resolve-subnets.ts';

export type Resolved =
  | { readonly ok: true; readonly spec: LabSpec }
  | { readonly ok: false; readonly problems: readonly LabProblem[] };

/** Collects problems; `resolve` goes on after one, so that all are reported at once. */
export type Report = (problem: LabProblem) => void;

export interface Subnets {
  readonly nodes: readonly Cidr[];
  readonly clients: readonly Cidr[];
  readonly pods: readonly Cidr[];
  readonly services: readonly Cidr[];
}

export interface Taken {
  readonly address: Address;
  readonly by: string;
}

/** Fills in what was left out and holds the rules between fields. Pure; the same for `lab.yaml` and for flags. */
export function resolveLab(input: LabInput, catalog: BalancerCatalog): Resolved {
  const problems: LabProblem[] = [];
  const report: Report = (problem) => problems.push(problem);
  const name = input.name ?? defaults.name;
  if (!labNamePattern.test(name)) {
    report({
      path: ['metadata', 'name'],
      code: 'LAB_NAME_BAD',
      problem: `\`${name}\` cannot be the name of a lab`,
      expected: 'at most 20 lower-case letters, digits and dashes, a letter first, no dash last',
    });
  }
  const kubernetes = resolveKubernetes(input.kubernetes ?? defaults.kubernetes, report);
  const ip = input.ip ?? defaults.ip;
  const families: readonly Family[] = ip === 'dual' ? [4, 6] : [Number(ip) as Family];
  const entry = resolveCatalog(input, catalog, report);
  const network = resolveNetwork(input, entry, report);
  const subnets = resolveSubnets(input, families, network, report);
  const taken: Taken[] = [];
  const frontEnd = entry?.frontEnd ?? 'address';
  const endpoint = resolveEndpoint(input, frontEnd, families, network, subnets, taken, report);
  const machines = resolveMachines(input, families, subnets, taken, report);
  const balancer = entry === undefined ? undefined : resolveBalancer(input, entry, report);
  const apiServerPort = input.apiServerPort ?? defaults.port;
  if (problems.length > 0 || balancer === undefined || entry === undefined) return { ok: false, problems };
  return {
    ok: true,
    spec: {
      name,
      tier: input.tier ?? defaults.tier,
      kubernetes,
      ip,
      network,
      nodeSubnets: subnets.nodes,
      clientSubnets: subnets.clients,
      podSubnets: subnets.pods,
      serviceSubnets: subnets.services,
      machines,
      endpoint,
      preset: entry.kind === 'preset' ? balancerName(input) : undefined,
      balancer,
      backendPort: (typeof input.balancer === 'object' ? input.balancer.backendPort : undefined) ?? apiServerPort,
      apiServerPort,
      ...(input.bare === true ? { bare: true } : {}),
    },
  };
}

function balancerName(input: LabInput): string {
  return (typeof input.balancer === 'object' ? input.balancer.like : input.balancer) ?? defaults.balancer;
}

function balancerPath(input: LabInput): readonly string[] {
  return typeof input.balancer === 'object' ? ['spec', 'balancer', 'like'] : ['spec', 'balancer'];
}

function resolveKubernetes(text: string, report: Report): string {
  const parsed = parseVersion(text);
  if (parsed === undefined) {
    report({
      path: ['spec', 'kubernetes'],
      code: 'LAB_KUBERNETES_BAD',
      problem: `\`${text}\` is not a version`,
      expected: `a version such as ${defaults.kubernetes}`,
    });
  }
  return parsed?.text ?? text;
}

function resolveCatalog(input: LabInput, catalog: BalancerCatalog, report: Report): CatalogEntry | undefined {
  const name = balancerName(input);
  const entry = catalog.get(name);
  if (entry !== undefined) return entry;
  const near = closest(name, catalog.keys());
  const names = (kind: CatalogEntry['kind']) =>
    [...catalog].flatMap(([key, value]) => (value.kind === kind ? [key] : [])).join(', ');
  report({
    path: balancerPath(input),
    code: 'LAB_BALANCER_UNKNOWN',
    problem: `there is no balancer \`${name}\``,
    expected: `a preset (${names('preset')}) or a behaviour (${names('behaviour')})`,
    ...(near === undefined ? {} : { hint: `did you mean \`${near}\`?` }),
  });
  return undefined;
}

/** Behaviours that only make sense where replies do, or do not, cross the balancer. */
const onlyOn: Partial<Record<BalancerConfig['behaviour'], { network: NetworkKind; because: string }>> = {
  'one-arm': {
    network: 'segment',
    because: 'a routed fabric un-NATs every reply, so nothing would fail',
  },
  drop: {
    network: 'routed',
    because: 'on a segment replies bypass the balancer, which makes it `one-arm`',
  },
};

function resolveNetwork(input: LabInput, entry: CatalogEntry | undefined, report: Report): NetworkKind {
  const wanted = input.network?.kind;
  const behaviour = entry?.config.behaviour;
  const rule = behaviour === undefined ? undefined : onlyOn[behaviour];
  if (wanted !== undefined && rule !== undefined && rule.network !== wanted) {
    report({
      path: ['spec', 'network', 'kind'],
      code: 'LAB_NETWORK_UNFIT',
      problem: `behaviour \`${behaviour}\` cannot be rehearsed on a ${wanted} network: ${rule.because}`,
      expected: rule.network,
    });
  }
  return wanted ?? entry?.network ?? 'routed';
}

function resolveBalancer(input: LabInput, entry: CatalogEntry, report: Report): BalancerConfig | undefined {
  const base = entry.config;
  if (typeof input.balancer !== 'object') return base;
  const { healthCheck, probeSource, like: _like, backendPort: _port, ...changes } = input.balancer;
  const source = probeSource === undefined ? base.probeSource : resolveProbeSource(probeSource, report);
  if (source === undefined) return undefined;
  return {
    ...base,
    ...withoutAbsent(changes),
    probeSource: source,
    healthCheck: { ...base.healthCheck, ...withoutAbsent(healthCheck ?? {}) },
  };
}

function resolveProbeSource(text: string, report: Report): BalancerConfig['probeSource'] | undefined {
  if (text === 'vip' || text === 'balancer') return text;
  const parsed = parseAddress(text);
  if (parsed === undefined) {
    report({
      path: ['spec', 'balancer', 'probeSource'],
      code: 'LAB_PROBE_SOURCE_BAD',
      problem: `\`${text}\` cannot be where health checks come from`,
      expected: 'an IP address, `vip` or `balancer`',
    });
  }
  return parsed;
}

function withoutAbsent<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
