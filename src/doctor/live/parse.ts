import {
  type Component,
  components,
  type Dials,
  type KeepalivedFile,
  type LogEntry,
  type NodeLook,
} from '../evidence.ts';
import { parseLog } from '../logs/parse.ts';

/** What a node said, as data. Pure. */
export interface Looked {
  readonly look: Omit<NodeLook, 'dials'>;
  readonly logs: readonly LogEntry[];
  /** The same logs as they stand on the node, for a support bundle. */
  readonly texts: readonly { readonly name: string; readonly text: string }[];
}

interface Section {
  readonly words: readonly string[];
  readonly lines: readonly string[];
}

export function parseLook(stdout: string, node: string): Looked {
  const all = sectionsOf(stdout);
  const of = (name: string) => all.filter(({ words }) => words[0] === name);
  const lines = (name: string) => of(name).flatMap((section) => section.lines.map((line) => line.trim()));
  const logs = of('log').map(({ words, lines: text }) => ({
    component: componentNamed(words[1] ?? ''),
    name: words.slice(2).join(' '),
    text: text.join('\n'),
  }));
  return {
    look: {
      ownHosts: lines('ownhosts'),
      podHosts: of('podhosts').map(({ words, lines: addresses }) => podHosts(words[1] ?? '', addresses)),
      keepalived: of('keepalived').map(({ words, lines: text }) => keepalivedFile(words[1] ?? '', text)),
      kubelet: {
        cgroupDriver: value(lines('kubelet'), 'cgroupDriver:'),
        failSwapOn: flag(value(lines('kubelet'), 'failSwapOn:')),
      },
      systemdCgroup: flag(lines('containerd').at(-1)?.split('=')[1]?.trim()),
      cniFiles: lines('cni'),
      refusedHere: lines('refused').flatMap((line) => {
        const [from = '', port] = line.split(' ');
        return from === '' ? [] : [{ from, port: Number(port) }];
      }),
      drops: lines('drops'),
    },
    logs: logs.flatMap(({ component, name, text }) => parseLog(text, { source: `${node}: ${name}`, component, node })),
    texts: logs.flatMap(({ name, text }) => (text === '' ? [] : [{ name, text: `${text}\n` }])),
  };
}

function sectionsOf(text: string): readonly Section[] {
  const sections: { words: string[]; lines: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('@')) sections.push({ words: line.slice(1).split(' '), lines: [] });
    else if (line.startsWith(' ')) sections.at(-1)?.lines.push(line.slice(1));
  }
  return sections;
}

/** Reads what `dialScript` prints. */
export function parseDials(stdout: string, endpoint: string): NodeLook['dials'] {
  const lines = stdout.split('\n').filter((line) => line.trim() !== '');
  const of = (name: string) =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(' ').slice(1));
  const masters = [...new Set(lines.map((line) => line.split(' ')[0] ?? ''))].filter((name) => name !== 'endpoint');
  return {
    endpoint: of('endpoint').length === 0 ? undefined : tally(endpoint, of('endpoint')),
    masters: masters.toSorted().map((master) => ({ master, ...tally(master, of(master)) })),
  };
}

/** Exit codes of curl: 7 refused (or no route), 28 too late, 35 and 52 and 56 a conversation that broke. */
function tally(to: string, lines: readonly (readonly string[])[]): Dials {
  const tries = lines.map(([status, connected, code]) => ({
    status: Number(status),
    connected: Number(connected) > 0,
    code: Number(code),
  }));
  const count = (is: (one: (typeof tries)[number]) => boolean) => tries.filter(is).length;
  const answered = count(({ status }) => status > 0);
  const refused = count(({ status, code }) => status === 0 && code === 7);
  const timedOut = count(({ status, code, connected }) => status === 0 && code === 28 && !connected);
  const silent = count(({ status, code, connected }) => status === 0 && code === 28 && connected);
  return {
    to,
    tries: tries.length,
    answered,
    refused,
    timedOut,
    silent,
    failed: tries.length - answered - refused - timedOut - silent,
    statuses: [...new Set(tries.flatMap(({ status }) => (status > 0 ? [status] : [])))].toSorted((a, b) => a - b),
  };
}

/** `kube-system_kube-proxy-x2p_0e1c…`: uids of static pods are hashes, without dashes. */
function podHosts(directory: string, addresses: readonly string[]): NodeLook['podHosts'][number] {
  const [namespace = '', name = '', uid = ''] = directory.split('_');
  return { pod: `${namespace}/${name}`, static: !uid.includes('-'), addresses: addresses.map((line) => line.trim()) };
}

/** The few words of keepalived.conf that matter here; blocks are followed by their braces. */
export function keepalivedFile(path: string, lines: readonly string[]): KeepalivedFile {
  type Draft = { -readonly [K in keyof KeepalivedFile['instances'][number]]: KeepalivedFile['instances'][number][K] };
  const instances: Draft[] = [];
  const blocks: string[] = [];
  for (const raw of lines) {
    const line = raw.replace(/[#!].*$/, '').trim();
    if (line === '') continue;
    const opened = /^(.*?)\s*\{$/.exec(line);
    if (opened !== null) {
      const [kind = '', name = ''] = (opened[1] ?? '').split(/\s+/);
      blocks.push(kind);
      if (kind === 'vrrp_instance') {
        instances.push({
          name,
          state: undefined,
          interface: undefined,
          routerId: undefined,
          priority: undefined,
          unicastPeers: [],
          addresses: [],
        });
      }
      continue;
    }
    if (line.startsWith('}')) {
      blocks.pop();
      continue;
    }
    const draft = instances.at(-1);
    if (draft === undefined || blocks[0] !== 'vrrp_instance') continue;
    const [key = '', word] = line.split(/\s+/);
    const inner = blocks.at(-1);
    if (inner === 'unicast_peer') draft.unicastPeers = [...draft.unicastPeers, key];
    else if (inner === 'virtual_ipaddress') draft.addresses = [...draft.addresses, key.split('/')[0] ?? key];
    else if (key === 'state') draft.state = word;
    else if (key === 'interface') draft.interface = word;
    else if (key === 'virtual_router_id') draft.routerId = Number(word);
    else if (key === 'priority') draft.priority = Number(word);
  }
  return { path, instances };
}

function value(lines: readonly string[], key: string): string | undefined {
  return lines
    .find((line) => line.startsWith(key))
    ?.slice(key.length)
    .trim();
}

function flag(text: string | undefined): boolean | undefined {
  return text === undefined ? undefined : text === 'true';
}

function componentNamed(name: string): Component | undefined {
  return components.find((one) => one === name);
}
