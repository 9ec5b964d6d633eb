import { type Address, type Cidr, cidrsOverlap, type Family, formatCidr, parseAddress } from '../../std/address.ts';
import { addressPlan, defaults } from './defaults.ts';
import type { LabInput, MachinesInput } from './input.ts';
import type { LabMachine, LabRole } from './lab-spec.ts';
import type { Report, Subnets, Taken } from './resolve.ts';
import { hostAt, whyNotHost } from './subnet.ts';

const kinds = [
  { key: 'masters', role: 'control-plane', letter: 'm', least: 1 },
  { key: 'workers', role: 'worker', letter: 'w', least: 0 },
  { key: 'clients', role: 'client', letter: 'c', least: 0 },
] as const satisfies readonly { key: keyof LabInput; role: LabRole; letter: string; least: number }[];

/** m1…, w1…, c1… with one address per family: the written ones, else the next free ones of their subnet. */
export function resolveMachines(
  input: LabInput,
  families: readonly Family[],
  subnets: Subnets,
  taken: Taken[],
  report: Report,
): readonly LabMachine[] {
  // Written addresses first, so that a counted machine never takes one of them.
  const written = kinds.map((kind) => {
    const machines = input[kind.key] ?? defaults[kind.key];
    return typeof machines === 'number'
      ? undefined
      : machines.map((machine, index) =>
          writtenAddresses(machine.addresses, { ...kind, index, families, subnets, taken, report }),
        );
  });
  const full = new Set<Cidr>();
  return kinds.flatMap((kind, position) => {
    const given = written[position] ?? [];
    const count = countOf(input[kind.key] ?? defaults[kind.key]);
    if (!Number.isInteger(count) || count < kind.least) {
      report({
        path: ['spec', kind.key],
        code: 'LAB_MACHINE_COUNT',
        problem: `a lab cannot have ${count} ${kind.key}`,
        expected: `${kind.least} or more`,
      });
      return [];
    }
    const nets = kind.role === 'client' ? subnets.clients : subnets.nodes;
    const machines: LabMachine[] = [];
    for (let index = 0; index < count; index += 1) {
      const addresses: readonly (Address | undefined)[] =
        given[index] ?? nets.map((net) => nextFree(net, kind.role, taken));
      const tooSmall = nets[addresses.indexOf(undefined)];
      if (tooSmall !== undefined) {
        // Said once: workers that come after too many masters are not too many themselves, and where subnets overlap
        // that is what is wrong.
        if (full.has(tooSmall) || (kind.role === 'client' && subnets.nodes.some((net) => cidrsOverlap(net, tooSmall))))
          break;
        full.add(tooSmall);
        report({
          path: ['spec', kind.key],
          code: 'LAB_SUBNET_FULL',
          problem: `${count} ${kind.key} do not fit into ${formatCidr(tooSmall)}: there is no address left for ${kind.letter}${index + 1}`,
          expected: `at most ${index} ${kind.key} there`,
          hint: `write a larger spec.network.${kind.role === 'client' ? 'clients' : 'nodes'} in lab.yaml`,
        });
        break;
      }
      const name = `${kind.letter}${index + 1}`;
      const known = addresses.filter((a) => a !== undefined);
      if (given[index] === undefined) taken.push(...known.map((address) => ({ address, by: name })));
      machines.push({ name, role: kind.role, addresses: known });
    }
    return machines;
  });
}

function countOf(machines: MachinesInput): number {
  return typeof machines === 'number' ? machines : machines.length;
}

interface Place {
  readonly key: string;
  readonly role: LabRole;
  readonly letter: string;
  readonly index: number;
  readonly families: readonly Family[];
  readonly subnets: Subnets;
  readonly taken: Taken[];
  readonly report: Report;
}

function writtenAddresses(texts: readonly string[], place: Place): readonly Address[] {
  const { families, report, taken } = place;
  const name = `${place.letter}${place.index + 1}`;
  const nets = place.role === 'client' ? place.subnets.clients : place.subnets.nodes;
  const path = ['spec', place.key, place.index, 'addresses'] as const;
  const found = texts.flatMap((text, i) => {
    const bad = (problem: string, expected: string) =>
      report({ path: [...path, i], code: 'LAB_ADDRESS_BAD', problem, expected });
    const parsed = parseAddress(text);
    if (parsed === undefined) {
      bad(`\`${text}\` is not an IP address`, 'an address such as 172.16.104.54');
      return [];
    }
    const net = nets.find((candidate) => candidate.base.family === parsed.family);
    const why = net === undefined ? undefined : whyNotHost(net, parsed);
    const other = taken.find((t) => t.address.text === parsed.text);
    if (why === 'outside') bad(`${parsed.text} is outside ${formatCidr(net as Cidr)}`, 'an address of that subnet');
    else if (why !== undefined) bad(`${parsed.text} is ${why} in ${formatCidr(net as Cidr)}`, 'a free address');
    else if (other !== undefined) bad(`${parsed.text} is used by ${other.by} too`, 'a free address');
    taken.push({ address: parsed, by: name });
    return [parsed];
  });
  const complete = families.length === texts.length && families.every((f) => found.some((a) => a.family === f));
  if (found.length === texts.length && !complete) {
    report({
      path,
      code: 'LAB_ADDRESS_BAD',
      problem: `${name} has addresses of other families than the lab`,
      expected: families.map((f) => `one IPv${f} address`).join(' and '),
    });
  }
  return found.toSorted((a, b) => a.family - b.family);
}

function nextFree(net: Cidr, role: LabRole, taken: readonly Taken[]): Address | undefined {
  const plan = addressPlan[net.base.family];
  const preferred = role === 'client' ? plan.firstClient : plan.firstNode;
  // A subnet too small for the usual place starts behind the reserved addresses.
  const first = hostAt(net, preferred) === undefined ? 4 : preferred;
  for (let offset = first; ; offset += 1) {
    const candidate = hostAt(net, offset);
    if (candidate === undefined) return undefined;
    if (!taken.some((t) => t.address.text === candidate.text)) return candidate;
  }
}
