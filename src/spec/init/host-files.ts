import { type Address, parseAddress } from '../../std/address.ts';

/** Addresses that /etc/hosts gives a name, in the order of the file. */
export function hostsEntries(text: string, name: string): readonly Address[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const [written = '', ...names] = line.replace(/#.*$/, '').trim().split(/\s+/);
    const address = parseAddress(written);
    return address !== undefined && names.some((n) => n.toLowerCase() === name.toLowerCase()) ? [address] : [];
  });
}

export interface InterfaceAddress {
  readonly interface: string;
  readonly address: Address;
  readonly prefix: number;
}

/** Reads `ip addr`, `ip -o addr` and `ip -json addr`: whatever the iproute2 of the node can print. */
export function readIpAddr(text: string): readonly InterfaceAddress[] {
  if (text.trimStart().startsWith('[')) return fromJson(JSON.parse(text));
  let device = '';
  return text.split(/\r?\n/).flatMap((line): InterfaceAddress[] => {
    const header = /^\d+:\s+([^\s:@]+)/.exec(line);
    device = header?.[1] ?? device;
    const match = /\binet6?\s+([0-9a-fA-F.:]+)(?:\/(\d+))?/.exec(line);
    const address = parseAddress(match?.[1] ?? '');
    if (address === undefined) return [];
    const whole = address.family === 4 ? 32 : 128;
    return [{ interface: device, address, prefix: match?.[2] === undefined ? whole : Number(match[2]) }];
  });
}

/** Ports that haproxy's configuration binds, on whatever address. */
export function haproxyPorts(text: string): readonly number[] {
  return text.split(/\r?\n/).flatMap((line) => {
    const match = /^\s*bind\s+\S*?:(\d+)\b/.exec(line.replace(/#.*$/, ''));
    return match?.[1] === undefined ? [] : [Number(match[1])];
  });
}

function fromJson(links: unknown): readonly InterfaceAddress[] {
  if (!Array.isArray(links)) return [];
  return (links as { ifname?: string; addr_info?: { local?: string; prefixlen?: number }[] }[]).flatMap((link) =>
    (link.addr_info ?? []).flatMap((info): InterfaceAddress[] => {
      const address = parseAddress(info.local ?? '');
      return address === undefined ? [] : [{ interface: link.ifname ?? '', address, prefix: info.prefixlen ?? 0 }];
    }),
  );
}
