import type { Diagnostic } from '../../errors/diagnostic.ts';
import { parseAddress } from '../../std/address.ts';
import { isDnsName } from '../fields.ts';
import { parseYamlSource } from '../yaml-source.ts';
import type { FileNode } from './flags.ts';
import { readIniInventory } from './ini.ts';

/** An Ansible inventory, whichever way it was written. */
export interface Inventory {
  readonly groups: Map<string, InventoryGroup>;
  readonly hosts: Map<string, { readonly line: number; readonly vars: Readonly<Record<string, string>> }>;
}

export interface InventoryGroup {
  readonly hosts: string[];
  readonly children: string[];
  readonly vars: Record<string, string>;
}

export type InventoryResult =
  | { readonly ok: true; readonly nodes: readonly FileNode[]; readonly notes: readonly string[] }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

/** What kubespray, KubeKey, kubeasz and hand-written playbooks call their groups. */
const masterGroups = [
  'kube_control_plane',
  'kube-control-plane',
  'control_plane',
  'control-plane',
  'controlplane',
  'kube_master',
  'kube-master',
  'k8s_master',
  'k8s-master',
  'masters',
  'master',
];
const workerGroups = [
  'kube_node',
  'kube-node',
  'kube_worker',
  'k8s_node',
  'k8s-node',
  'k8s_worker',
  'workers',
  'worker',
  'nodes',
  'node',
  'agents',
];

/** Variables that may hold the address that nodes dial, best first (`ip` is kubespray's). */
const addressVars = ['ip', 'access_ip', 'private_ip', 'internal_address', 'ansible_host', 'ansible_ssh_host'];

/** Text of an inventory (INI or YAML) → nodes, masters first, in the order in which they stand there. */
export function nodesFromInventory(text: string, file: string): InventoryResult {
  const isYaml = /\.ya?ml$/.test(file) || /^\s*(---|\w+:\s*$)/m.test(text.split('[')[0] ?? '');
  const { inventory, problems } = isYaml ? readYamlInventory(text, file) : readIniInventory(text, file);
  if (problems.length > 0) return { ok: false, diagnostics: problems };
  const masterGroup = masterGroups.find((name) => hostsOf(inventory, name).length > 0);
  if (masterGroup === undefined) {
    const known = [...inventory.groups.keys()].filter((name) => name !== 'all' && name !== 'ungrouped');
    const problem = 'no group of masters was found';
    const expected = `a group called ${masterGroups.slice(0, 3).join(', ')} or masters, with hosts in it`;
    const hint = known.length === 0 ? undefined : `there are ${known.join(', ')}`;
    const whole = { file, line: 1, column: 1, path: '', code: 'INVENTORY_NO_MASTERS', problem, expected };
    return { ok: false, diagnostics: [hint === undefined ? whole : { ...whole, hint }] };
  }
  const masters = hostsOf(inventory, masterGroup);
  const workerGroup = workerGroups.find((name) => hostsOf(inventory, name).some((host) => !masters.includes(host)));
  const workers =
    workerGroup === undefined ? [] : hostsOf(inventory, workerGroup).filter((host) => !masters.includes(host));
  const diagnostics: Diagnostic[] = [];
  const nodes = [...masters, ...workers].flatMap((host): FileNode[] => {
    const role = masters.includes(host) ? 'control-plane' : 'worker';
    const node = toNode(inventory, host, role);
    if (node !== undefined) return [node];
    diagnostics.push({
      file,
      line: inventory.hosts.get(host)?.line ?? 1,
      column: 1,
      path: host,
      code: 'INVENTORY_NO_ADDRESS',
      problem: `no address of ${host} is known`,
      expected: `an address in one of ${addressVars.join(', ')}`,
      hint: 'names are not looked up: the address that nodes dial may be another one',
    });
    return [];
  });
  if (diagnostics.length > 0) return { ok: false, diagnostics };
  return {
    ok: true,
    nodes,
    notes: [
      `masters from [${masterGroup}]${workerGroup === undefined ? '' : `, workers from [${workerGroup}]`} of ${file}`,
    ],
  };
}

/** Hosts of a group and of the groups below it, each once. */
function hostsOf(inventory: Inventory, name: string, seen = new Set<string>()): string[] {
  const group = inventory.groups.get(name);
  if (group === undefined || seen.has(name)) return [];
  seen.add(name);
  return [...new Set([...group.hosts, ...group.children.flatMap((child) => hostsOf(inventory, child, seen))])];
}

function toNode(inventory: Inventory, host: string, role: 'control-plane' | 'worker'): FileNode | undefined {
  const vars = varsOf(inventory, host);
  const address = [...addressVars.map((key) => vars[key]), host]
    .map((text) => parseAddress(text ?? ''))
    .find((a) => a !== undefined);
  if (address === undefined) return undefined;
  const second = parseAddress(vars.ip6 ?? '');
  const name =
    isDnsName(host.toLowerCase()) && parseAddress(host) === undefined
      ? host.toLowerCase()
      : `node-${address.text.replaceAll(/[.:]+/g, '-')}`;
  const ssh = sshOf(vars, address.text);
  const written = second === undefined || second.family === address.family ? address.text : [address.text, second.text];
  return { name, role, address: written, ...(Object.keys(ssh).length === 0 ? {} : { ssh }) };
}

function sshOf(vars: Readonly<Record<string, string>>, address: string): NonNullable<FileNode['ssh']> {
  const host = vars.ansible_host ?? vars.ansible_ssh_host;
  const user = vars.ansible_user ?? vars.ansible_ssh_user;
  const port = Number(vars.ansible_port ?? vars.ansible_ssh_port);
  const key = vars.ansible_ssh_private_key_file;
  return {
    ...(host === undefined || host === address ? {} : { host }),
    ...(user === undefined ? {} : { user }),
    ...(Number.isInteger(port) && port > 0 && port !== 22 ? { port } : {}),
    ...(key === undefined ? {} : { identityFile: key }),
  };
}

/** A host's own variables win over those of its groups, and those over `all`. */
function varsOf(inventory: Inventory, host: string): Readonly<Record<string, string>> {
  const names = [...inventory.groups.keys()].filter(
    (name) => name !== 'all' && hostsOf(inventory, name).includes(host),
  );
  const groupVars = names.map((name) => inventory.groups.get(name)?.vars ?? {});
  return Object.assign({}, inventory.groups.get('all')?.vars, ...groupVars, inventory.hosts.get(host)?.vars) as Record<
    string,
    string
  >;
}

function readYamlInventory(text: string, file: string): { inventory: Inventory; problems: readonly Diagnostic[] } {
  const source = parseYamlSource(text, file);
  const groups: Inventory['groups'] = new Map();
  const hosts: Inventory['hosts'] = new Map();
  const visit = (name: string, value: unknown, path: readonly string[]) => {
    const group = groups.get(name) ?? { hosts: [], children: [], vars: {} };
    groups.set(name, group);
    Object.assign(group.vars, scalars(mapping(mapping(value).vars)));
    for (const [host, vars] of Object.entries(mapping(mapping(value).hosts))) {
      group.hosts.push(host);
      const line = source.position([...path, 'hosts', host], true).line;
      const known = hosts.get(host);
      hosts.set(host, { line: known?.line ?? line, vars: { ...known?.vars, ...scalars(mapping(vars)) } });
    }
    for (const [child, below] of Object.entries(mapping(mapping(value).children))) {
      group.children.push(child);
      visit(child, below, [...path, 'children', child]);
    }
  };
  for (const [name, value] of Object.entries(mapping(source.data))) visit(name, value, [name]);
  return { inventory: { groups, hosts }, problems: source.diagnostics };
}

function mapping(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function scalars(values: Readonly<Record<string, unknown>>): Record<string, string> {
  const plain = Object.entries(values).filter(([, value]) => typeof value === 'string' || typeof value === 'number');
  return Object.fromEntries(plain.map(([key, value]) => [key, String(value)]));
}
