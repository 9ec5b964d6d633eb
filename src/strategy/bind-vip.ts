import { bindVipFiles, bindVipScriptPath, bindVipUnit } from '../render/systemd/bind-vip.ts';
import { quietArpFile, quietArpPath } from '../render/systemd/quiet-arp.ts';
import { unitPath } from '../render/systemd/unit.ts';
import { noBalancer, noVip, oneArm, othersThan, vip } from './endpoint.ts';
import { bridgeGone, bridgeToLeader } from './join-bridge.ts';
import { nothing, type Place, type Strategy, type StrategyContext, type Wanted } from './strategy.ts';

/**
 * The endpoint's address on every master, so that a master always reaches itself (the article's second way).
 *
 * The leader binds it before init. A follower must not before it has joined: its discovery would reach itself, where
 * nothing listens. It goes through the balancer, which by then knows the leader; behind a balancer of behaviour `local`
 * the address is on the follower already, so there the follower is steered to the leader until it has joined.
 */
export const bindVip: Strategy<'bind-vip'> = {
  name: 'bind-vip',
  summary: "the endpoint's address on every master, each dials itself",
  doesNotSurvive:
    'its own apiserver: while that is down the master has no API at all, though the balancer has healthy ones',
  unsuitable: (cx) => noVip('bind-vip', cx) ?? noBalancer('bind-vip', cx) ?? oneArm('bind-vip', cx),
  warnings({ behaviour }) {
    return [
      {
        code: 'BIND_VIP_OWN_APISERVER',
        text: 'a master whose own apiserver is down is refused by its own address; steer goes to another master then',
      },
      ...(behaviour === 'works'
        ? [
            {
              code: 'BIND_VIP_NOT_NEEDED',
              text: 'this balancer hairpins; strategy direct keeps its health checks in the path',
            },
          ]
        : []),
    ];
  },
  tools: ({ behaviour }, place) =>
    place.part === 'follower' && behaviour === 'local'
      ? [['ip'], ['nft'], ['bash'], ['curl', 'openssl', 'socat']]
      : place.part === 'worker'
        ? []
        : [['ip']],
  wants(cx, place, moment) {
    if (place.part === 'worker') return nothing;
    if (place.part === 'follower' && moment === 'before') {
      return cx.behaviour === 'local'
        ? { ...bridgeToLeader(cx, place), gone: [notBound] }
        : { ...nothing, gone: [notBound] };
    }
    const bound = wantsBound(cx, place);
    return place.part === 'follower' && cx.behaviour === 'local' ? { ...bound, gone: [bridgeGone] } : bound;
  },
  route(cx, { node, part }, moment) {
    if (part === 'worker') return [{ to: 'balancer' }];
    if (part === 'leader' || moment !== 'before') return [{ to: 'self' }];
    return cx.behaviour === 'local' ? [{ to: 'nodes', nodes: othersThan(cx, node) }] : [{ to: 'balancer' }];
  },
};

function wantsBound(cx: StrategyContext<'bind-vip'>, { node, part }: Place): Wanted {
  const address = vip(cx);
  const because =
    part === 'leader'
      ? 'init dials the endpoint, and the balancer has no healthy master yet'
      : 'joined: it dials itself now';
  const quiet =
    address.family === 4 ? [quietArpFile('the balancer has the address, the node must not answer ARP for it')] : [];
  const files = [...quiet, ...bindVipFiles(address, cx.device(node), because)];
  return {
    ...nothing,
    files,
    units: [
      {
        unit: bindVipUnit,
        because: 'binds the address now and at boot',
        restartOn: files.map((file) => file.path),
        kind: 'ours',
        undo: undefined,
      },
    ],
    holds: [{ is: 'address-present', address }],
  };
}

const notBound = {
  unit: bindVipUnit,
  uninstall: undefined,
  files: [bindVipScriptPath, quietArpPath, unitPath(bindVipUnit)],
  because: 'a master that has not joined would reach only itself',
};
