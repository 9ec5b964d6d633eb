import type { KeepalivedFile, Live, LiveNode } from '../evidence.ts';
import { holdingEndpoint, masters } from './help.ts';

export type Instance = KeepalivedFile['instances'][number];

/** keepalived's instances on masters that have the endpoint among their addresses. */
export function instances(live: Live): readonly { readonly node: LiveNode; readonly instance: Instance }[] {
  const wanted = new Set(live.spec.endpoint.addresses.map(({ text }) => text));
  return masters(live).flatMap((node) =>
    (node.look?.keepalived ?? [])
      .flatMap((file) => file.instances)
      .filter(({ addresses }) => addresses.some((address) => wanted.has(address)))
      .map((instance) => ({ node, instance })),
  );
}

/** Masters that hold the endpoint at this moment. */
export function holders(live: Live): readonly LiveNode[] {
  return masters(live).filter((node) => holdingEndpoint(node, live).some(({ name }) => name !== 'kube-ipvs0'));
}

/** All instances are made so that each thinks itself alone: one router id each, or nobody to hear. */
export function allMasterByDesign(live: Live): boolean {
  const all = instances(live);
  if (all.length === 0) return true;
  return new Set(all.map(({ instance }) => instance.routerId)).size === all.length && all.length > 1;
}

/** Rules on these nodes that drop VRRP (IP protocol 112). */
export function vrrpDrops(node: LiveNode): readonly string[] {
  return (node.look?.drops ?? []).filter((rule) =>
    /\bvrrp\b|\b(?:ip|l4)?proto(?:col)? 112\b|-p (?:112|vrrp)\b|nexthdr 112/.test(rule),
  );
}
