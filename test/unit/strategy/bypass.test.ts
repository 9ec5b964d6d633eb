import { describe, expect, test } from 'vitest';
import { bypassesOf } from '../../../src/strategy/bypass.ts';

const link = (name: string, kind?: string) => ({ name, kind });

describe('bypassesOf()', () => {
  test.each([
    {
      name: 'a bridge',
      links: [link('eth0'), link('cni0', 'bridge'), link('veth1', 'veth')],
      plugins: ['bridge', 'portmap'],
      is: [],
    },
    { name: 'flannel', links: [link('flannel.1', 'vxlan')], plugins: ['flannel', 'portmap'], is: [] },
    {
      name: 'Calico with iptables',
      links: [link('cali12345678901', 'veth'), link('vxlan.calico', 'vxlan')],
      plugins: ['calico', 'bandwidth'],
      is: [],
    },
    {
      name: 'Calico with eBPF',
      links: [link('bpfin.cali', 'veth'), link('bpfout.cali', 'veth')],
      plugins: ['calico'],
      is: ['Calico with eBPF'],
    },
    { name: 'Cilium', links: [link('cilium_host', 'veth')], plugins: [], is: ['Cilium'] },
    { name: 'Cilium before its agent runs', links: [], plugins: ['cilium-cni'], is: ['Cilium'] },
    {
      name: 'OVN-Kubernetes',
      links: [link('ovn-k8s-mp0')],
      plugins: ['ovn-k8s-cni-overlay'],
      is: ['OVN-Kubernetes'],
    },
    { name: 'Terway', links: [], plugins: ['terway', 'cilium-cni'], is: ['Cilium', 'ipvlan or macvlan pods'] },
    { name: 'IPVS', links: [link('kube-ipvs0', 'dummy')], plugins: ['bridge'], is: ['kube-proxy in IPVS mode'] },
  ])('$name', ({ links, plugins, is }) => {
    expect(bypassesOf({ links, plugins, kubeProxy: undefined }).map(({ what }) => what)).toEqual(is);
  });
});
