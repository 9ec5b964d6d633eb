import { parseAddress } from '../../std/address.ts';
import { parseIpJson } from '../ip-json.ts';
import type { Probe } from '../probe.ts';
import type { Interface } from '../types.ts';

interface IpLink {
  readonly ifname: string;
  readonly flags?: readonly string[];
  readonly mtu?: number;
  readonly link_type?: string;
  readonly address?: string;
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number; readonly scope?: string }[];
}

export const interfaces: Probe<readonly Interface[]> = {
  script: () => 'ip -json -details address show',

  parse(text) {
    return parseIpJson<IpLink>(text).map((link) => ({
      name: link.ifname,
      kind: link.linkinfo?.info_kind,
      mac: link.link_type === 'ether' ? link.address : undefined,
      mtu: link.mtu ?? 0,
      up: link.flags?.includes('UP') === true,
      loopback: link.flags?.includes('LOOPBACK') === true,
      addresses: (link.addr_info ?? []).flatMap((info) => {
        const address = parseAddress(info.local ?? '');
        return address === undefined ? [] : [{ address, prefix: info.prefixlen ?? 0, scope: info.scope ?? 'global' }];
      }),
    }));
  },
};
