import { haproxyFiles, haproxyUnit } from '../render/haproxy/config.ts';
import { keepalivedFiles, keepalivedUnit, renderAllMaster } from '../render/keepalived/config.ts';
import { quietArpFile } from '../render/systemd/quiet-arp.ts';
import { blackHole } from './all-master.ts';
import { noVip, oneArm, vip } from './endpoint.ts';
import { nothing, type Strategy, type StrategyContext, type Unsuitable } from './strategy.ts';

/**
 * haproxy on every master behind the balancer, and the endpoint's address on every master by keepalived (the article's
 * first way). A master dials its own haproxy, which knows all apiservers, so it survives its own apiserver; the price is
 * a proxy in the path of everybody.
 */
export const keepalivedHaproxy: Strategy<'keepalived-haproxy'> = {
  name: 'keepalived-haproxy',
  summary: 'haproxy on every master, each with the endpoint on itself by keepalived',
  doesNotSurvive: 'haproxy of that node',
  unsuitable: (cx) =>
    noVip('keepalived-haproxy', cx) ?? withoutBalancer(cx) ?? ports(cx) ?? oneArm('keepalived-haproxy', cx),
  warnings: () => [
    {
      code: 'KEEPALIVED_HAPROXY_TWO_HOPS',
      text: 'connections from outside pass two balancers, and haproxy adds its own failure modes and costs 10 to 35 % of the throughput',
    },
  ],
  tools: (_cx, place) => (place.part === 'worker' ? [] : [['haproxy'], ['keepalived']]),
  wants(cx, { node, part, index }) {
    if (part === 'worker') return nothing;
    const address = vip(cx);
    const device = cx.device(node);
    const { port, vrrp } = cx.options;
    const haproxy = haproxyFiles(
      { node, masters: cx.masters, vip: address, port, apiServerPort: cx.spec.apiServerPort },
      'the endpoint leads to any ready apiserver, also before this one runs',
    );
    const config = renderAllMaster({ node, index, masters: cx.masters, device, vip: address, routerId: 51 }, vrrp);
    const keepalived = [
      ...(address.family === 4
        ? [quietArpFile('the balancer has the address, the node must not answer ARP for it')]
        : []),
      ...keepalivedFiles(
        config,
        address.family === 4 ? 'all-master-silent' : 'all-master',
        device,
        'every master holds the endpoint itself',
      ),
    ];
    return {
      ...nothing,
      files: [...haproxy, ...keepalived],
      units: [
        {
          unit: haproxyUnit,
          because: 'listens before keepalived brings the address',
          restartOn: haproxy.map((f) => f.path),
          kind: 'ours',
          undo: undefined,
        },
        {
          unit: keepalivedUnit,
          because: 'holds the address',
          restartOn: keepalived.map((f) => f.path),
          kind: 'ours',
          undo: undefined,
        },
      ],
      holds: [
        { is: 'unit-active', unit: haproxyUnit },
        { is: 'address-present', address },
      ],
    };
  },
  route: (_cx, { part }) => (part === 'worker' ? [{ to: 'balancer' }] : [{ to: 'own-haproxy' }]),
};

/** The article's port chain: the endpoint's port, haproxy's and the balancer's backend port are one, the apiserver's is another. */
function ports({ spec, options }: StrategyContext<'keepalived-haproxy'>): Unsuitable | undefined {
  if (options.port === spec.apiServerPort) {
    return {
      code: 'HAPROXY_PORT_CLASH',
      reason: `haproxy cannot listen on ${options.port}, where the apiserver of the same node listens`,
      hint: 'give the endpoint and spec.balancer.backendPort another port, 9443 as in the article',
    };
  }
  const backendPort = spec.balancer?.backendPort;
  if (spec.endpoint.port === options.port && backendPort === options.port) return undefined;
  return {
    code: 'HAPROXY_PORT_CHAIN',
    reason: `the endpoint's port (${spec.endpoint.port}), haproxy's (${options.port}) and the balancer's backend port (${backendPort}) must be one: masters dial haproxy where outside clients dial the balancer`,
    hint: `set spec.endpoint.port and spec.balancer.backendPort to ${options.port}`,
  };
}

function withoutBalancer({ spec }: StrategyContext<'keepalived-haproxy'>): Unsuitable | undefined {
  if (spec.balancer !== undefined) return undefined;
  return { code: 'ALL_MASTER_VIP', reason: blackHole, hint: 'use keepalived-vip, where one master holds the address' };
}
