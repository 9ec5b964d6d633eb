import { haproxyFiles, haproxyUnit } from '../render/haproxy/config.ts';
import { keepalivedFiles, keepalivedUnit, renderAllMaster, renderOneHolder } from '../render/keepalived/config.ts';
import { blackHole } from './all-master.ts';
import { noVip, vip } from './endpoint.ts';
import { nothing, type Strategy } from './strategy.ts';

/** No balancer at all: one master holds the address by VRRP, and haproxy of the holder spreads over the apiservers. */
export const keepalivedVip: Strategy<'keepalived-vip'> = {
  name: 'keepalived-vip',
  summary: 'no balancer: one master holds the endpoint by VRRP, haproxy spreads from there',
  doesNotSurvive: 'on a move of the address every established connection dies, and new ones wait for VRRP (about 3 s)',
  unsuitable(cx) {
    const none = noVip('keepalived-vip', cx);
    if (none !== undefined) return none;
    const { options, spec } = cx;
    if (spec.balancer !== undefined) {
      return {
        code: 'VIP_IS_THE_BALANCERS',
        reason:
          'the endpoint is the address of a balancer, and a master that takes it over by VRRP fights with the balancer',
        hint: 'use steer, or write `balancer: none` when there is none',
      };
    }
    if (options.port === spec.apiServerPort || options.port !== spec.endpoint.port) {
      return {
        code: 'HAPROXY_PORT_CLASH',
        reason: `haproxy's port (${options.port}) must be the endpoint's (${spec.endpoint.port}) and not the apiserver's (${spec.apiServerPort})`,
        hint: 'give the endpoint another port than the apiserver, for example 9443',
      };
    }
    return undefined;
  },
  warnings(cx) {
    const silence = {
      code: 'VIP_NEEDS_L2',
      text: 'VRRP needs the masters on one L2 segment whose switches believe gratuitous ARP; most clouds do not',
    };
    return cx.acceptUnsafe.has('all-master-vip')
      ? [silence, { code: 'ALL_MASTER_VIP', text: `accepted as unsafe: ${blackHole}` }]
      : [silence];
  },
  tools: (_cx, place) => (place.part === 'worker' ? [] : [['haproxy'], ['keepalived'], ['bash']]),
  wants(cx, { node, part, index }) {
    if (part === 'worker') return nothing;
    const address = vip(cx);
    const device = cx.options.interface ?? cx.device(node);
    const options = { node, index, masters: cx.masters, device, vip: address, routerId: cx.options.routerId };
    const allMaster = cx.acceptUnsafe.has('all-master-vip');
    const config = allMaster ? renderAllMaster(options, 'unicast', device) : renderOneHolder(options);
    const haproxy = haproxyFiles(
      { node, masters: cx.masters, vip: address, port: cx.options.port, apiServerPort: cx.spec.apiServerPort },
      'whoever holds the address leads to any ready apiserver',
    );
    const keepalived = keepalivedFiles(
      config,
      allMaster ? 'all-master' : 'one-holder',
      device,
      'one master holds the endpoint',
    );
    return {
      ...nothing,
      files: [...haproxy, ...keepalived],
      units: [
        {
          unit: haproxyUnit,
          because: 'listens before the address comes',
          restartOn: haproxy.map((f) => f.path),
          kind: 'ours',
          undo: undefined,
        },
        {
          unit: keepalivedUnit,
          because: 'elects the holder',
          restartOn: keepalived.map((f) => f.path),
          kind: 'ours',
          undo: undefined,
        },
      ],
      holds: [
        { is: 'unit-active', unit: haproxyUnit },
        { is: 'unit-active', unit: keepalivedUnit },
      ],
    };
  },
  route: (cx, { part }) =>
    part !== 'worker' && cx.acceptUnsafe.has('all-master-vip') ? [{ to: 'own-haproxy' }] : [{ to: 'vip-holder' }],
};
