import { formatHostPort, parseAddress } from '../../std/address.ts';
import { isDnsName } from '../fields.ts';
import type { ClusterFile } from '../schema.ts';
import { apiVersion } from '../spec.ts';

/** The flags of `hairpin init`; the wizard and the inventory fill in the same. */
export interface InitFlags {
  readonly name?: string;
  readonly masters?: string;
  readonly workers?: string;
  readonly endpoint?: string;
  readonly endpointAddresses?: string;
  readonly kubernetes?: string;
  readonly imageRepository?: string;
  readonly podSubnet?: string;
  readonly serviceSubnet?: string;
  readonly cni?: string;
  readonly balancer?: string;
  readonly hairpin?: string;
  readonly strategy?: string;
  readonly apiServerPort?: string;
  readonly sshUser?: string;
  readonly sshPort?: string;
  readonly sshConfig?: string;
  readonly identityFile?: string;
  readonly proxyJump?: string;
}

export type FileNode = ClusterFile['spec']['nodes'][number];

/** Something wrong with one flag. */
export interface FlagProblem {
  readonly flag: string;
  readonly problem: string;
  readonly expected: string;
}

export type FlagResult =
  | { readonly ok: true; readonly file: ClusterFile }
  | { readonly ok: false; readonly problems: readonly FlagProblem[] };

export const newestKubernetes = 'v1.37.2';

/**
 * Flags → cluster.yaml as data. Judges only what cannot be written down at all; the rest is judged by reading the
 * result, as any other file. `nodes` are those of an inventory and come before the flags' own.
 */
export function fileFromFlags(flags: InitFlags, nodes: readonly FileNode[] = []): FlagResult {
  const problems: FlagProblem[] = [];
  const take = <T>(result: T | FlagProblem): T | undefined => {
    if (typeof result !== 'object' || result === null || !('problem' in result)) return result as T;
    problems.push(result as FlagProblem);
    return undefined;
  };
  const masters = parseNodes(flags.masters, 'masters', 'm').map(take);
  const workers = parseNodes(flags.workers, 'workers', 'w').map(take);
  const endpoint = take(parseEndpoint(flags.endpoint, flags.endpointAddresses));
  const all = [...nodes, ...masters, ...workers].filter((node) => node !== undefined);
  if (all.length === 0 && problems.every((p) => p.flag !== '--masters')) {
    problems.unshift({
      flag: '--masters',
      problem: 'is missing',
      expected: 'addresses, such as 10.0.0.1,10.0.0.2,10.0.0.3',
    });
  }
  const apiServerPort = take(parseNumber(flags.apiServerPort, '--api-server-port'));
  const sshPort = take(parseNumber(flags.sshPort, '--ssh-port'));
  if (problems.length > 0 || endpoint === undefined) return { ok: false, problems };

  const ssh = present({
    user: flags.sshUser,
    port: sshPort,
    configFile: flags.sshConfig,
    identityFile: flags.identityFile,
    proxyJump: flags.proxyJump,
  });
  const noBalancer = flags.strategy === 'keepalived-vip';
  const file = {
    apiVersion,
    kind: 'Cluster',
    metadata: { name: flags.name ?? 'prod' },
    spec: present({
      kubernetes: present({
        version: flags.kubernetes ?? newestKubernetes,
        imageRepository: flags.imageRepository,
        podSubnet: flags.podSubnet,
        serviceSubnet: flags.serviceSubnet,
        cni: flags.cni === undefined ? undefined : { manifest: flags.cni },
      }),
      endpoint,
      balancer: noBalancer ? undefined : present({ product: flags.balancer, hairpin: flags.hairpin ?? 'auto' }),
      strategy: flags.strategy ?? 'auto',
      apiServerPort,
      nodes: all,
      ssh: Object.keys(ssh).length === 0 ? undefined : ssh,
      prepare: 'preinstalled',
    }),
  };
  // Enumerations come from flags as any text; whoever reads the file says which words there are.
  return { ok: true, file: file as ClusterFile };
}

/** `10.0.0.1,m2=10.0.0.2,m3=10.0.0.3+fd00::3`: names are made up where there are none. */
export function parseNodes(
  text: string | undefined,
  flag: 'masters' | 'workers',
  letter: string,
): (FileNode | FlagProblem)[] {
  const items = (text ?? '').split(',').map((item) => item.trim());
  return items
    .filter((item) => item !== '')
    .map((item, index) => {
      const [, name = `${letter}${index + 1}`, written = ''] = /^(?:([^=]*)=)?(.*)$/.exec(item) ?? [];
      const addresses = written.split('+').map(parseAddress);
      if (addresses.includes(undefined)) {
        return {
          flag: `--${flag}`,
          problem: `\`${written}\` is not an address`,
          expected: 'addresses with or without names, such as 10.0.0.1,m2=10.0.0.2 or m3=10.0.0.3+fd00::3',
        };
      }
      const texts = addresses.map((address) => address?.text ?? '');
      const role = flag === 'masters' ? 'control-plane' : 'worker';
      return { name, role, address: texts.length === 1 ? (texts[0] ?? '') : texts };
    });
}

/** `172.16.105.26:6443`, `[fd00::26]:6443`, `api.prod.example`; the port is 6443 when there is none. */
export function parseEndpoint(
  text: string | undefined,
  addresses: string | undefined,
): ClusterFile['spec']['endpoint'] | FlagProblem {
  const expected = `ADDRESS:PORT or NAME:PORT, such as ${formatHostPort('172.16.105.26', 6443)}`;
  if (text === undefined || text === '') return { flag: '--endpoint', problem: 'is missing', expected };
  const match = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(text) ?? /^([0-9a-f:.]+)()()$/i.exec(text);
  const host = match?.[1] ?? match?.[2] ?? '';
  const port = match?.[3] ? Number(match[3]) : 6443;
  const address = parseAddress(host);
  if (address !== undefined && addresses === undefined) return { address: address.text, port };
  if (address !== undefined) {
    const problem = 'goes with a name only';
    return { flag: '--endpoint-addresses', problem, expected: '--endpoint NAME:PORT' };
  }
  if (match === null || match[1] !== undefined || !isDnsName(host) || /^[\d.]+$/.test(host)) {
    return { flag: '--endpoint', problem: `\`${text}\` is neither an address nor a name`, expected };
  }
  const list = (addresses ?? '').split(',').filter((item) => item !== '');
  return list.length === 0 ? { domain: host, port } : { domain: host, addresses: list, port };
}

function parseNumber(text: string | undefined, flag: string): number | undefined | FlagProblem {
  if (text === undefined) return undefined;
  if (/^\d{1,5}$/.test(text)) return Number(text);
  return { flag, problem: `\`${text}\` is not a number`, expected: 'a port from 1 to 65535' };
}

/** Without the fields that are `undefined`. */
function present<T extends object>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
