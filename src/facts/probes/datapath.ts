import { lines, type Probe, sections } from '../probe.ts';
import type { Datapath } from '../types.ts';

/** What decides where packets of pods go: the CNI configuration, and the mode that kube-proxy says it has. */
export const datapath: Probe<Datapath> = {
  script: () => `
for f in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist /etc/cni/net.d/*.json; do
  [ -f "$f" ] && printf '@cni %s\\n' "$f" && head -c 65536 -- "$f" && echo
done
echo @kube-proxy
command -v curl >/dev/null && for host in 127.0.0.1 '[::1]'; do
  curl --silent --globoff --max-time 1 --noproxy '*' "http://$host:10249/proxyMode" && break
done
:`,

  parse(text) {
    const all = sections(text);
    const [mode] = lines(all.find(({ title }) => title === 'kube-proxy')?.body ?? '');
    return {
      cni: all
        .filter(({ title }) => title.startsWith('cni '))
        .map(({ title, body }) => ({ path: title.slice(4), plugins: pluginTypes(body) })),
      kubeProxy: mode === 'iptables' || mode === 'nftables' || mode === 'ipvs' ? mode : undefined,
    };
  },
};

/** Of a network or of a list of them (CNI specification 1.1, section 1); none of what a runtime would not take either. */
function pluginTypes(text: string): readonly string[] {
  try {
    const config = JSON.parse(text) as { type?: unknown; plugins?: readonly { type?: unknown }[] } | null;
    return [config?.type, ...(config?.plugins ?? []).map((plugin) => plugin.type)].filter(
      (type) => typeof type === 'string',
    );
  } catch {
    return [];
  }
}
