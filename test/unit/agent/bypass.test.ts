import { describe, expect, test } from 'vitest';
import { bypassesOf } from '../../../src/agent/bypass.ts';

const link = (name: string, kind?: string) => ({ name, kind });
const cni = (...types: readonly string[]) => JSON.stringify({ name: 'net', plugins: types.map((type) => ({ type })) });

describe('bypassesOf()', () => {
  test.each([
    {
      name: 'a bridge',
      links: [link('eth0'), link('cni0', 'bridge'), link('veth1', 'veth')],
      conf: [cni('bridge', 'portmap')],
      is: [],
    },
    { name: 'flannel', links: [link('flannel.1', 'vxlan')], conf: [cni('flannel', 'portmap')], is: [] },
    {
      name: 'Calico with iptables',
      links: [link('cali12345678901', 'veth'), link('vxlan.calico', 'vxlan')],
      conf: [cni('calico', 'bandwidth')],
      is: [],
    },
    {
      name: 'Calico with eBPF',
      links: [link('bpfin.cali', 'veth'), link('bpfout.cali', 'veth')],
      conf: [cni('calico')],
      is: ['Calico with eBPF'],
    },
    { name: 'Cilium', links: [link('cilium_host', 'veth')], conf: [], is: ['Cilium'] },
    { name: 'Cilium before its agent runs', links: [], conf: [cni('cilium-cni')], is: ['Cilium'] },
    {
      name: 'OVN-Kubernetes',
      links: [link('ovn-k8s-mp0')],
      conf: ['{"type":"ovn-k8s-cni-overlay"}'],
      is: ['OVN-Kubernetes'],
    },
    { name: 'Terway', links: [], conf: [cni('terway', 'cilium-cni')], is: ['Cilium', 'ipvlan or macvlan pods'] },
    { name: 'IPVS', links: [link('kube-ipvs0', 'dummy')], conf: [cni('bridge')], is: ['kube-proxy in IPVS mode'] },
    { name: 'a file that is no JSON', links: [], conf: ['{'], is: [] },
  ])('$name', ({ links, conf, is }) => {
    expect(bypassesOf({ links, cni: conf, kubeProxy: undefined }).map(({ what }) => what)).toEqual(is);
  });
});
