import { lines, type Probe, sections } from '../probe.ts';
import type { Tool } from '../types.ts';

/** How each tool says its version; an empty string for those whose version does not matter. */
const versionArguments: Readonly<Record<string, string>> = {
  kubeadm: 'version -o short',
  kubelet: '--version',
  kubectl: '',
  containerd: '--version',
  'containerd-shim-runc-v2': '',
  crio: '--version',
  dockerd: '--version',
  runc: '--version',
  crictl: '',
  ctr: '',
  etcdctl: '',
  nft: '--version',
  iptables: '--version',
  conntrack: '--version',
  ipvsadm: '',
  ip: '-V',
  ss: '-V',
  ethtool: '',
  socat: '',
  openssl: '',
  perl: '',
  bash: '',
  curl: '',
  tcpdump: '',
  keepalived: '--version',
  haproxy: '-v',
  systemctl: '--version',
  mount: '',
  modprobe: '',
};

export const tools: Probe<Readonly<Record<string, Tool>>> = {
  // No process but the tool itself: two dozen of `timeout` and `head` took as long as kubeadm and kubelet together.
  script: () => `
look() {
  command -v "$1" >/dev/null || return 0
  printf '@%s ' "$1"; command -v "$1"
  [ $# = 1 ] || "$@" 2>&1
}
${Object.entries(versionArguments)
  .map(([name, args]) => `look ${name} ${args}`.trimEnd())
  .join('\n')}
:`,

  parse(text) {
    return Object.fromEntries(
      sections(text).map(({ title, body }) => {
        const space = title.indexOf(' ');
        return [title.slice(0, space), { path: title.slice(space + 1), version: versionIn(body) }];
      }),
    );
  },
};

/** The first thing that looks like a version: `1.37.2`, `6.1`, `254`; iproute2 up to 2023 says `iproute2-6.1.0`. */
export function versionIn(text: string): string | undefined {
  const first = lines(text)[0] ?? '';
  return /(\d+\.\d+(?:\.\d+)?(?:-(?:alpha|beta|rc)\.\d+)?)/.exec(first)?.[1] ?? /\b(\d{2,})\b/.exec(first)?.[1];
}
