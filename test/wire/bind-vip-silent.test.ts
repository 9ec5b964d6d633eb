import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { writeNodeFiles } from '../../src/cluster-plan.ts';
import { bindVipFiles } from '../../src/render/systemd/bind-vip.ts';
import { quietArpFile } from '../../src/render/systemd/quiet-arp.ts';
import { address } from '../../src/std/address.ts';

/**
 * A node and a neighbour on one link. The neighbour asks for the VIP and for the node's own address; a connection of the
 * node to the VIP must end on the node. Prints one line per question.
 */
const script = `
set -u
tree=$1 family=$2 vip=$3 node=$4 neighbour=$5 prefix=$6 bits=$7
flag=$([ "$family" = 6 ] && echo nodad)
mount -t tmpfs tmpfs /run && mount -t overlay overlay -o "lowerdir=$tree/etc:/etc" /etc || exit 1
mkdir -p /run/netns
ip link set lo up
ip netns add neighbour
ip link add eth0 type veth peer name eth0 netns neighbour
ip address add "$node/$prefix" dev eth0 $flag && ip link set eth0 up
ip -n neighbour address add "$neighbour/$prefix" dev eth0 $flag && ip -n neighbour link set eth0 up
ip -n neighbour route add "$vip/$bits" dev eth0
sleep 0.5
# Nobody listens: whoever has the address refuses, and one that nobody answers ARP for times out.
refuses() { timeout 1 "$@" bash -c "exec 3<>/dev/tcp/$target/9" 2>&1 | grep -q refused; }
asked() { target=$1; refuses ip netns exec neighbour && echo answers || echo silent; }
own() { target=$vip; refuses env && echo reaches || echo lost; }
state() { echo "$1: vip $(asked "$vip"), own $(asked "$node"), self $(own)"; ip netns exec neighbour ip neigh flush all; }
before=$(cat /proc/sys/net/ipv4/conf/eth0/arp_ignore /proc/sys/net/ipv4/conf/eth0/arp_announce)
state before
/etc/hairpin/bind-vip.sh start
state bound
/etc/hairpin/bind-vip.sh start
state again
/etc/hairpin/bind-vip.sh stop
state stopped
[ "$before" = "$(cat /proc/sys/net/ipv4/conf/eth0/arp_ignore /proc/sys/net/ipv4/conf/eth0/arp_announce)" ] && echo 'settings: as before'
`;

describe('bind-vip on a real link', () => {
  test.each([
    { family: 4, vip: '172.17.105.26', node: '172.16.0.10', neighbour: '172.16.0.11', prefix: '24' },
    { family: 6, vip: 'fd00:17::26', node: 'fd00:16::10', neighbour: 'fd00:16::11', prefix: '64' },
  ])('IPv$family: the node reaches the VIP at itself, and nobody else hears of it', async (net) => {
    const tree = await mkdtemp(join(tmpdir(), 'hairpin-vip-'));
    try {
      await writeNodeFiles(tree, [quietArpFile('test'), ...bindVipFiles(address(net.vip), 'eth0', 'test')]);
      const { family, vip, node, neighbour, prefix } = net;
      const args = [tree, String(family), vip, node, neighbour, prefix, family === 4 ? '32' : '128'];
      const { stdout } = await execa('unshare', ['-nm', 'bash', '-c', script, 'bind-vip', ...args]);
      expect(stdout.split('\n')).toEqual([
        'before: vip silent, own answers, self lost',
        'bound: vip silent, own answers, self reaches',
        'again: vip silent, own answers, self reaches',
        'stopped: vip silent, own answers, self lost',
        'settings: as before',
      ]);
    } finally {
      await rm(tree, { recursive: true, force: true });
    }
  });

  test('IPv4 without the setting: the neighbour does hear of it, so the test can tell', async () => {
    const tree = await mkdtemp(join(tmpdir(), 'hairpin-vip-'));
    try {
      const files = bindVipFiles(address('172.17.105.26'), 'eth0', 'test');
      await writeNodeFiles(tree, [{ ...quietArpFile('test'), content: '#!/bin/sh\n' }, ...files]);
      const args = [tree, '4', '172.17.105.26', '172.16.0.10', '172.16.0.11', '24', '32'];
      const { stdout } = await execa('unshare', ['-nm', 'bash', '-c', script, 'bind-vip', ...args]);
      expect(stdout.split('\n')[1]).toBe('bound: vip answers, own answers, self reaches');
    } finally {
      await rm(tree, { recursive: true, force: true });
    }
  });
});
