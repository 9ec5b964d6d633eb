import { lines, type Probe } from '../probe.ts';

/** What kubeadm, kube-proxy, the strategies and the steering table depend on. */
const names = [
  'net.ipv4.ip_forward',
  'net.ipv4.ip_nonlocal_bind',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.conf.all.rp_filter',
  'net.ipv4.conf.default.rp_filter',
  'net.ipv4.conf.all.accept_local',
  'net.ipv4.conf.all.route_localnet',
  'net.ipv4.conf.all.arp_ignore',
  'net.ipv4.conf.all.arp_announce',
  'net.ipv6.conf.all.forwarding',
  'net.ipv6.conf.all.disable_ipv6',
  'net.ipv6.bindv6only',
  'net.ipv6.ip_nonlocal_bind',
  'net.bridge.bridge-nf-call-iptables',
  'net.bridge.bridge-nf-call-ip6tables',
  'net.netfilter.nf_conntrack_max',
  'net.netfilter.nf_conntrack_count',
  'net.netfilter.nf_conntrack_tcp_be_liberal',
  'net.ipv4.tcp_retries2',
  'vm.overcommit_memory',
  'vm.panic_on_oom',
  'kernel.panic',
  'kernel.panic_on_oops',
];

/** Those that exist; a missing one is absent (a module that is not loaded has no sysctl). */
export const sysctls: Probe<Readonly<Record<string, string>>> = {
  // One grep for all: dash reads files of /proc/sys a byte at a time, and they end after the first.
  script: () => `cd /proc/sys && grep -sH '' ${names.map((name) => name.replaceAll('.', '/')).join(' ')}; :`,

  parse(text) {
    return Object.fromEntries(
      lines(text).map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).replaceAll('/', '.'), line.slice(colon + 1).replaceAll('\t', ' ')];
      }),
    );
  },
};
