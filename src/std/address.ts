import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;

/**
 * An IP address that knows its family. `text` is canonical (RFC 5952 for IPv6), so two equal addresses have equal
 * texts. Never build one by hand: `parseAddress` is the only door.
 */
export interface Address {
  readonly family: Family;
  readonly text: string;
}

/** A network: the base address has its host bits cleared. */
export interface Cidr {
  readonly base: Address;
  readonly prefix: number;
}

/** Reads an address in any usual notation; `undefined` for anything that is not one (a zone index is refused). */
export function parseAddress(text: string): Address | undefined {
  if (text.includes('%')) return undefined;
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 4, text: ipaddr.IPv4.parse(text).toString() };
  if (text.includes(':') && ipaddr.IPv6.isValid(text)) {
    return { family: 6, text: ipaddr.IPv6.parse(text).toRFC5952String() };
  }
  return undefined;
}

/** As `parseAddress`, for text that was already checked. Throws `SyntaxError` otherwise. */
export function address(text: string): Address {
  const parsed = parseAddress(text);
  if (parsed === undefined) throw new SyntaxError(`Not an IP address: ${JSON.stringify(text)}`);
  return parsed;
}

/** Reads `10.0.0.0/24`; host bits are cleared. `undefined` for anything else. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const base = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  const prefix = Number(match?.[2]);
  if (base === undefined || prefix > bits(base.family)) return undefined;
  return { base: fromNumber(base.family, toNumber(base) & mask(base.family, prefix)), prefix };
}

/** As `parseCidr`, for text that was already checked. Throws `SyntaxError` otherwise. */
export function cidr(text: string): Cidr {
  const parsed = parseCidr(text);
  if (parsed === undefined) throw new SyntaxError(`Not a network in CIDR notation: ${JSON.stringify(text)}`);
  return parsed;
}

export function formatCidr(net: Cidr): string {
  return `${net.base.text}/${net.prefix}`;
}

export function cidrContains(net: Cidr, a: Address): boolean {
  if (a.family !== net.base.family) return false;
  // Specs have thousands of IPv4 addresses: 32-bit arithmetic is many times faster than bigints. `>>>` takes its right
  // side modulo 32, so a prefix of 0 needs a case of its own.
  if (a.family === 4) return net.prefix === 0 || (toInt(a) ^ toInt(net.base)) >>> (32 - net.prefix) === 0;
  return (toNumber(a) & mask(a.family, net.prefix)) === toNumber(net.base);
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return a.prefix <= b.prefix ? cidrContains(a, b.base) : cidrContains(b, a.base);
}

/** The address `offset` places after the network's base. Throws `RangeError` when that leaves the network. */
export function addressAt(net: Cidr, offset: number | bigint): Address {
  const found = fromNumber(net.base.family, toNumber(net.base) + BigInt(offset));
  if (!cidrContains(net, found)) throw new RangeError(`${formatCidr(net)} has no address at offset ${offset}`);
  return found;
}

/** The address `n` places after `a`. Throws `RangeError` past the end of the address space. */
export function addressAfter(a: Address, n: number): Address {
  return fromNumber(a.family, toNumber(a) + BigInt(n));
}

/** `10.0.0.1:6443` or `[2001:db8::1]:6443`. */
export function formatHostPort(host: Address | string, port: number): string {
  const text = typeof host === 'string' ? host : host.text;
  return text.includes(':') ? `[${text}]:${port}` : `${text}:${port}`;
}

/** 32 or 128: the prefix length of one address. */
export function bits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

export function sameAddress(a: Address, b: Address): boolean {
  return a.family === b.family && a.text === b.text;
}

/** What kind of address this is when it cannot be a machine's own address for others to dial; `undefined` when it can. */
export function unreachableKind(a: Address): string | undefined {
  return unreachableNets.find(({ net }) => cidrContains(net, a))?.kind;
}

/** RFC 6890. More special ranges exist (documentation, benchmarks); those are dialled in labs and tests. */
const unreachableNets: readonly { readonly net: Cidr; readonly kind: string }[] = (
  [
    ['0.0.0.0/8', 'an address of "this network"'],
    ['127.0.0.0/8', 'a loopback address'],
    ['169.254.0.0/16', 'a link-local address'],
    ['224.0.0.0/4', 'a multicast address'],
    ['255.255.255.255/32', 'the broadcast address'],
    ['::/128', 'the unspecified address'],
    ['::1/128', 'a loopback address'],
    ['::ffff:0:0/96', 'an IPv4 address in IPv6 clothes'],
    ['fe80::/10', 'a link-local address'],
    ['ff00::/8', 'a multicast address'],
  ] as const
).map(([net, kind]) => ({ net: cidr(net), kind }));

/** How many addresses a network has. */
export function cidrSize(net: Cidr): bigint {
  return 1n << BigInt(bits(net.base.family) - net.prefix);
}

/** The network of `prefix` bits around an address. */
export function networkOf(a: Address, prefix: number): Cidr {
  return { base: fromNumber(a.family, toNumber(a) & mask(a.family, prefix)), prefix };
}

function mask(family: Family, prefix: number): bigint {
  const width = BigInt(bits(family));
  return ((1n << BigInt(prefix)) - 1n) << (width - BigInt(prefix));
}

/** The 32 bits of an IPv4 address, signed as JavaScript's bit operators have them. */
function toInt(a: Address): number {
  const known = ints.get(a);
  if (known !== undefined) return known;
  const [b3, b2, b1, b0] = a.text.split('.');
  const int = (Number(b3) << 24) | (Number(b2) << 16) | (Number(b1) << 8) | Number(b0);
  ints.set(a, int);
  return int;
}

/** Every address is held against the same dozen networks. */
const ints = new WeakMap<Address, number>();

function toNumber(a: Address): bigint {
  return ipaddr
    .parse(a.text)
    .toByteArray()
    .reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
}

function fromNumber(family: Family, value: bigint): Address {
  if (value < 0n || value >= 1n << BigInt(bits(family))) throw new RangeError('Address outside its address space');
  const bytes = Array.from({ length: bits(family) / 8 }, (_, i) =>
    Number((value >> BigInt(bits(family) - 8 * (i + 1))) & 0xffn),
  );
  return address(ipaddr.fromByteArray(bytes).toString());
}
