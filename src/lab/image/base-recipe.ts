import { createHash } from 'node:crypto';

/** Everything that decides what is in the base image; a change of any of it gives another image, beside the old one. */
export interface BaseRecipe {
  /** Raised when `base.ts` does something else with the same packages. */
  readonly revision: number;
  readonly suite: string;
  readonly arch: string;
  readonly components: readonly string[];
  readonly packages: readonly string[];
  /** Units that a node machine does not start by itself; whoever needs one enables it. */
  readonly disabled: readonly string[];
  readonly masked: readonly string[];
}

/** `suite` is the host's own, so that its apt sources and its debootstrap know it. */
export function baseRecipe(suite: string, arch: string, components: readonly string[]): BaseRecipe {
  return {
    revision: 1,
    suite,
    arch,
    components: components.filter((name) => name === 'main' || name === 'universe'),
    packages: words(
      'systemd systemd-sysv dbus openssh-server sudo',
      'curl ca-certificates openssl procps kmod socat',
      'iproute2 iputils-ping ethtool nftables iptables ebtables conntrack',
      // Debian's containerd brings its unit and dependencies; the lab puts its own newer binary in front of it.
      'containerd runc containernetworking-plugins',
      'keepalived haproxy',
    ),
    // Installed and off, as on a machine whose owner has not configured them: a strategy may need to enable them.
    disabled: words('keepalived.service haproxy.service containerd.service nftables.service'),
    masked: words(
      'apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer',
      'getty.target console-getty.service getty-static.service systemd-networkd.service',
      'e2scrub_reap.service sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount',
    ),
  };
}

/** Names the image by its content, so that a lab can say which one it was made from. */
export function baseId(recipe: BaseRecipe): string {
  const hash = createHash('sha256').update(JSON.stringify(recipe)).digest('hex');
  return `${recipe.suite}-${recipe.arch}-${hash.slice(0, 12)}`;
}

function words(...lines: readonly string[]): readonly string[] {
  return lines.flatMap((line) => line.split(' '));
}
