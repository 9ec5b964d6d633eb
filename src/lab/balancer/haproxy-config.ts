import type { BalancerConfig } from '../../balancer/behaviour.ts';
import { type BalancerdConfig, familiesOf, idleSeconds, inFamily } from './config.ts';

/** Names in the configuration that the runtime interface is asked about. */
export const haproxyBackend = 'apiservers';

/**
 * The configuration of the haproxy that is the balancer of `proxy`: its own checks, its own address as the source.
 *
 * `refuse` is what haproxy does with nobody to send a connection to: it accepts and closes. `all` needs a second backend
 * without checks.
 */
export function haproxyConfig(
  config: BalancerdConfig,
  opts: { socket: string; stateFile: string; intervalMs: number },
): string {
  const { balancer } = config;
  const mode = balancer.terminateTls ? 'http' : 'tcp';
  const tls = balancer.terminateTls ? ` ssl crt ${config.certificate} alpn h2,http/1.1` : '';
  const lines = [
    'global',
    `  stats socket ${opts.socket} mode 600 level admin`,
    // What the process before knew of its servers: without it each is up until proven down, by one single check.
    `  server-state-file ${opts.stateFile}`,
    '  nbthread 1',
    // Two descriptors a connection have to fit into the usual limit of open files.
    '  maxconn 4000',
    '',
    'defaults',
    `  mode ${mode}`,
    '  load-server-state-from-file global',
    '  timeout connect 5s',
    `  timeout client ${idleSeconds(config)}s`,
    `  timeout server ${idleSeconds(config)}s`,
    '',
    'frontend endpoint',
    ...config.vips.map((vip) => `  bind ${hostPort(vip.text, config.port)}${tls}`),
    ...(balancer.allDown === 'all'
      ? [`  use_backend everybody if { nbsrv(${haproxyBackend}) eq 0 }`]
      : [`  tcp-request connection reject if { nbsrv(${haproxyBackend}) eq 0 }`]),
    `  default_backend ${haproxyBackend}`,
    '',
    `backend ${haproxyBackend}`,
    ...balance(balancer),
    ...checkLines(balancer, opts.intervalMs),
    ...config.backends.map(
      (b) => `  server ${b.name} ${server(config, b)}${checkWords(balancer)}${serverTls(balancer)}`,
    ),
    ...(balancer.allDown === 'all'
      ? [
          '',
          'backend everybody',
          ...balance(balancer),
          ...config.backends.map((b) => `  server ${b.name} ${server(config, b)}${serverTls(balancer)}`),
        ]
      : []),
    '',
  ];
  return lines.join('\n');
}

function balance(balancer: BalancerConfig): readonly string[] {
  return [`  balance ${balancer.scheduling === 'source-hash' ? 'source' : 'roundrobin'}`];
}

function checkLines(balancer: BalancerConfig, intervalMs: number): readonly string[] {
  const check = balancer.healthCheck;
  const shutdown = balancer.ejectedFlows === 'reset' ? ' on-marked-down shutdown-sessions' : '';
  return [
    // Without it a check may take as long as the interval. The interval itself starts at the end of a check (timing.ts).
    `  timeout check ${check.timeoutMs}ms`,
    ...(check.protocol === 'tcp' ? [] : [`  option httpchk GET ${check.path}`, '  http-check expect status 200']),
    `  default-server inter ${intervalMs}ms rise ${check.rise} fall ${check.fall}${shutdown}`,
  ];
}

/** How a server is checked. Without a word haproxy would make checks in TLS wherever it talks TLS to the server. */
function checkWords(balancer: BalancerConfig): string {
  const { port, protocol } = balancer.healthCheck;
  const to = port === undefined ? ' check' : ` check port ${port}`;
  if (protocol !== 'https') return balancer.terminateTls ? `${to} no-check-ssl` : to;
  return balancer.terminateTls ? `${to} check-ssl check-alpn http/1.1` : `${to} check-ssl verify none`;
}

/** What a balancer that ends TLS speaks to the backends. */
function serverTls(balancer: BalancerConfig): string {
  return balancer.terminateTls ? ' ssl verify none alpn h2,http/1.1' : '';
}

function server(config: BalancerdConfig, backend: BalancerdConfig['backends'][number]): string {
  for (const family of familiesOf(config)) {
    const address = inFamily(backend.addresses, family);
    const own = inFamily(config.own, family);
    if (address === undefined) continue;
    return `${hostPort(address.text, backend.port)}${own === undefined ? '' : ` source ${hostPort(own.text, 0)}`}`;
  }
  throw new RangeError(`${backend.name} has no address in a family of the endpoint`);
}

function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
