import { type Cidr, cidrsOverlap, type Family, formatCidr, parseCidr } from '../../std/address.ts';
import { addressPlan } from './defaults.ts';
import type { LabInput } from './input.ts';
import type { NetworkKind } from './lab-spec.ts';
import type { Report, Subnets } from './resolve.ts';

type Key = keyof Subnets;
const keys = ['nodes', 'clients', 'pods', 'services'] as const satisfies readonly Key[];
const titles: Readonly<Record<Key, string>> = {
  nodes: 'the node subnet',
  clients: "the outside clients' subnet",
  pods: 'the pod subnet',
  services: 'the service subnet',
};

/** One subnet per use and family, none overlapping another. */
export function resolveSubnets(
  input: LabInput,
  families: readonly Family[],
  network: NetworkKind,
  report: Report,
): Subnets {
  const subnets = Object.fromEntries(keys.map((key) => [key, resolveOne(key, input, families, network, report)]));
  const all = keys.flatMap((key) => (subnets[key] ?? []).map((net, index) => ({ key, net, index })));
  for (const [i, later] of all.entries()) {
    const earlier = all.slice(0, i).find((other) => cidrsOverlap(other.net, later.net));
    if (earlier === undefined) continue;
    // Blame what the user wrote; a default is never at fault.
    const blamed = input.network?.[later.key] === undefined ? earlier : later;
    const other = blamed === later ? earlier : later;
    report({
      path: ['spec', 'network', blamed.key, blamed.index],
      code: 'LAB_SUBNETS_OVERLAP',
      problem: `${formatCidr(blamed.net)} overlaps ${titles[other.key]} ${formatCidr(other.net)}`,
      expected: 'subnets that share no address',
      hint: `choose another one, or set spec.network.${other.key} too`,
    });
  }
  return subnets as unknown as Subnets;
}

function resolveOne(
  key: Key,
  input: LabInput,
  families: readonly Family[],
  network: NetworkKind,
  report: Report,
): readonly Cidr[] {
  const written = input.network?.[key];
  if (written === undefined) return families.map((family) => defaultSubnet(key, family, network));
  const parsed = written.map((text, index) => {
    const net = parseCidr(text);
    if (net === undefined || formatCidr(net) !== canonical(text, net)) {
      report({
        path: ['spec', 'network', key, index],
        code: 'LAB_SUBNET_BAD',
        problem: `\`${text}\` is not a network`,
        expected: net === undefined ? 'a network such as 172.16.104.0/24' : formatCidr(net),
      });
      return undefined;
    }
    return net;
  });
  if (parsed.includes(undefined)) return [];
  const known = parsed.filter((net) => net !== undefined);
  const fitting = families.map((family) => known.filter((net) => net.base.family === family));
  if (known.length === families.length && fitting.every((nets) => nets.length === 1)) return fitting.flat();
  report({
    path: ['spec', 'network', key],
    code: 'LAB_SUBNET_COUNT',
    problem: `${titles[key]} is written for other address families than the lab has`,
    expected: `${families.map((f) => `one IPv${f} network`).join(' and ')}, because \`ip\` is ${families.length === 2 ? 'dual' : families[0]}`,
  });
  return [];
}

/** A network with host bits set is a slip of the pen: which of the two was meant is not ours to guess. */
function canonical(text: string, net: Cidr): string {
  const [base = ''] = text.split('/');
  const host = parseCidr(`${base}/${net.base.family === 4 ? 32 : 128}`);
  return host === undefined ? text : `${host.base.text}/${net.prefix}`;
}

function defaultSubnet(key: Key, family: Family, network: NetworkKind): Cidr {
  const plan = addressPlan[family];
  return key === 'nodes' ? plan.nodes[network] : plan[key];
}
