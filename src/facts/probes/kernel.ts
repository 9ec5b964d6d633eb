import { lines, type Probe } from '../probe.ts';
import { type Kernel, type KernelFeature, kernelFeatures } from '../types.ts';

const options: Record<KernelFeature, string> = {
  nf_tables: 'CONFIG_NF_TABLES',
  nf_conntrack: 'CONFIG_NF_CONNTRACK',
  nf_nat: 'CONFIG_NF_NAT',
  ip_vs: 'CONFIG_IP_VS',
  overlay: 'CONFIG_OVERLAY_FS',
  br_netfilter: 'CONFIG_BRIDGE_NETFILTER',
  bridge: 'CONFIG_BRIDGE',
  dummy: 'CONFIG_DUMMY',
  vxlan: 'CONFIG_VXLAN',
};

/**
 * A feature is there when the running kernel shows it, when its configuration has it built in, or when its module lies
 * where modprobe looks. It is missing when the configuration says so, or the modules are there and it is not among them.
 */
export const kernel: Probe<Kernel> = {
  script: () => `
release=$(uname -r)
echo "release $release"
fs=$(stat -fc %T /sys/fs/cgroup 2>/dev/null || echo none)
case $fs in
  cgroup2fs) echo cgroup v2 ;;
  tmpfs) if grep -q '^[^ ]* [^ ]* cgroup2 ' /proc/mounts; then echo cgroup hybrid; else echo cgroup v1; fi ;;
  *) echo cgroup none ;;
esac
config=
for at in /proc/config.gz "/boot/config-$release"; do
  [ -r "$at" ] || continue
  case $at in *.gz) read=zcat ;; *) read=cat ;; esac
  # Matching is slow in what dash keeps as one string, so only the lines that are asked for get there.
  config=$("$read" "$at" | grep -wE '${Object.values(options).join('|')}'; echo read)
  break
done
has() {
  [ -d "/sys/module/$1" ] && { echo yes; return; }
  case $1 in
    nf_tables) nft list tables >/dev/null 2>&1 && { echo yes; return; } ;;
    nf_conntrack) [ -e /proc/sys/net/netfilter/nf_conntrack_max ] && { echo yes; return; } ;;
    overlay) grep -qw overlay /proc/filesystems && { echo yes; return; } ;;
    br_netfilter) [ -e /proc/sys/net/bridge/bridge-nf-call-iptables ] && { echo yes; return; } ;;
    ip_vs) [ -e /proc/net/ip_vs ] && { echo yes; return; } ;;
  esac
  case $config in
    *"$2=y"*) echo yes; return ;;
    *"$2 is not set"*) echo no; return ;;
    *"$2=m"*) modules=m ;;
    ?*) echo no; return ;;
  esac
  if [ -r "/lib/modules/$release/modules.builtin" ] || [ -r "/lib/modules/$release/modules.dep" ]; then
    if grep -qs "/$1\\.ko" "/lib/modules/$release/modules.builtin" "/lib/modules/$release/modules.dep"; then echo yes; else echo no; fi
  else
    echo untried
  fi
}
${kernelFeatures.map((name) => `echo "feature ${name} $(has ${name} ${options[name]})"`).join('\n')}`,

  parse(text) {
    const all = lines(text).map((line) => line.split(' '));
    const release = all.find(([key]) => key === 'release')?.[1];
    const cgroup = all.find(([key]) => key === 'cgroup')?.[1];
    if (release === undefined) throw new SyntaxError('no kernel release');
    return {
      release,
      cgroup: cgroup === 'v1' || cgroup === 'v2' || cgroup === 'hybrid' ? cgroup : 'none',
      features: Object.fromEntries(
        kernelFeatures.map((name) => {
          const seen = all.find(([key, feature]) => key === 'feature' && feature === name)?.[2];
          return [name, seen === 'yes' || seen === 'no' ? seen : 'untried'];
        }),
      ) as Kernel['features'],
    };
  },
};
