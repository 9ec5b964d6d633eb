import { type Address, parseAddress } from '../../std/address.ts';

export interface VrrpInstance {
  readonly name: string;
  readonly interface: string | undefined;
  readonly routerId: number | undefined;
  readonly state: string | undefined;
  readonly unicast: boolean;
  readonly addresses: readonly Address[];
}

/** The `vrrp_instance` blocks of a keepalived.conf: who claims which addresses, and how. Everything else is passed over. */
export function readKeepalivedConf(text: string): readonly VrrpInstance[] {
  const lines = text.split(/\r?\n/).map((line) => line.replace(/[#!].*$/, '').trim());
  // One token a line where blocks open and close, so that `a { b }` on one line reads as on three.
  const tokens = lines.flatMap((line) => line.split(/([{}])/).map((part) => part.trim())).filter((part) => part !== '');
  const instances: VrrpInstance[] = [];
  const open: string[] = [];
  let current: { -readonly [K in keyof VrrpInstance]: VrrpInstance[K] } | undefined;
  for (const [index, token] of tokens.entries()) {
    if (token === '{') {
      open.push(tokens[index - 1] ?? '');
      const name = /^vrrp_instance\s+(\S+)/.exec(open.at(-1) ?? '')?.[1];
      if (name !== undefined) {
        current = { name, interface: undefined, routerId: undefined, state: undefined, unicast: false, addresses: [] };
      }
    } else if (token === '}') {
      if (open.pop()?.startsWith('vrrp_instance') === true && current !== undefined) {
        instances.push(current);
        current = undefined;
      }
    } else if (current !== undefined) {
      const block = open.at(-1)?.split(/\s+/)[0] ?? '';
      if (block === 'virtual_ipaddress' || block === 'virtual_ipaddress_excluded') {
        const address = parseAddress(token.split(/[\s/]/)[0] ?? '');
        if (address !== undefined) current.addresses = [...current.addresses, address];
      } else if (block === 'unicast_peer') {
        current.unicast = true;
      } else if (block === 'vrrp_instance') {
        const [key, value] = token.split(/\s+/);
        if (key === 'interface') current.interface = value;
        if (key === 'state') current.state = value;
        if (key === 'virtual_router_id') current.routerId = Number(value);
      }
    }
  }
  return instances;
}
