import type { SpecNode } from '../../spec/spec.ts';
import { type Address, formatHostPort } from '../../std/address.ts';
import type { WantedFile } from '../../strategy/strategy.ts';
import { renderUnit, unitPath, writtenBy } from '../systemd/unit.ts';

export const haproxyUnit = 'hairpin-haproxy.service';
export const haproxyConfigPath = '/etc/hairpin/haproxy.cfg';
/** Plain HTTP on 127.0.0.1: 200 while haproxy has a master that is ready, or alive at least. Above the range of ports that connections take. */
export const haproxyHealthPort = 61443;

export interface HaproxyOptions {
  readonly node: SpecNode;
  readonly masters: readonly SpecNode[];
  readonly vip: Address;
  readonly port: number;
  readonly apiServerPort: number;
}

/**
 * haproxy on a master, in front of all apiservers: what listens on the endpoint's address there, and on the node's own
 * for the balancer.
 */
export function haproxyFiles(options: HaproxyOptions, because: string): readonly WantedFile[] {
  return [
    { path: haproxyConfigPath, content: renderHaproxy(options), mode: 0o644, because },
    {
      path: unitPath(haproxyUnit),
      content: unit,
      mode: 0o644,
      because: 'a unit of its own, so that a haproxy that was there keeps its file',
    },
  ];
}

/** Each number says where it comes from; facts/peers.md §0.4, §0.5 and §5, facts/peers-measured.md. */
export function renderHaproxy({ node, masters, vip, port, apiServerPort }: HaproxyOptions): string {
  const ownFirst = [node, ...masters.filter((master) => master.name !== node.name)];
  const servers = ownFirst
    .map((master) => `  server ${master.name} ${formatHostPort(master.address, apiServerPort)}`)
    .join('\n');
  return `# ${writtenBy}
global
  log /dev/log local0 notice
  user haproxy
  group haproxy

defaults
  mode tcp
  log global
  option dontlognull
  option clitcpka
  option srvtcpka
  option redispatch
  retries 3
  timeout connect 2s
  timeout queue 5s
  timeout check 2s
  # Watches are silent for up to 30 s between the pings of client-go; anything near that cuts them (kubeadm#2227).
  timeout client 10m
  timeout server 10m

frontend endpoint
  bind ${bindAddress(node.address, port)}
  # Before keepalived has put the address here, too.
  bind ${bindAddress(vip, port)} transparent
  use_backend alive if { nbsrv(apiservers) lt 1 }
  default_backend apiservers

backend apiservers
  balance leastconn
  # A hung apiserver takes connections and never answers: only a request tells. Certificates are not checked here,
  # because before the first join there is no CA to check with; clients check the apiserver's certificate end to end.
  option httpchk GET /readyz
  http-check expect status 200
  default-server check check-ssl verify none inter 1s fastinter 500ms downinter 1s fall 2 rise 2 on-marked-down shutdown-sessions
${servers}

# When nobody is ready (etcd without a quorum, machines short of processor time), whoever takes connections is better than
# nobody: all masters would let go of the endpoint at once.
backend alive
  balance leastconn
  default-server check inter 1s fastinter 500ms downinter 1s fall 2 rise 2 on-marked-down shutdown-sessions
${servers}

frontend health
  mode http
  bind 127.0.0.1:${haproxyHealthPort}
  timeout client 5s
  monitor-uri /healthz
  monitor fail if { nbsrv(apiservers) lt 1 } { nbsrv(alive) lt 1 }
`;
}

function bindAddress(address: Address, port: number): string {
  return formatHostPort(address, port);
}

const unit = renderUnit({
  description: 'hairpin: haproxy in front of the apiservers',
  wants: ['network-online.target'],
  after: ['network-online.target'],
  before: ['kubelet.service'],
  service: [
    'Type=notify',
    `ExecStartPre=/usr/bin/env haproxy -c -q -f ${haproxyConfigPath}`,
    `ExecStart=/usr/bin/env haproxy -Ws -f ${haproxyConfigPath}`,
    'ExecReload=/bin/kill -USR2 $MAINPID',
    'KillMode=mixed',
    'SuccessExitStatus=143',
    'Restart=always',
    'RestartSec=1',
  ],
});
