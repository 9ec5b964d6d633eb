import { describe, expect, test } from 'vitest';
import { keepalivedFile, parseDials, parseLook } from '../../../src/doctor/live/parse.ts';

test('parseDials() tells refused from late, and late from silent', () => {
  const text = `endpoint 200 0.001 0
endpoint 000 0.000 28
m1 500 0.001 0
endpoint 000 0.000 7
m2 000 0.004 28
m2 000 0.002 35
m1 401 0.001 0
`;
  expect(parseDials(text, '172.16.105.26:6443')).toEqual({
    endpoint: {
      to: '172.16.105.26:6443',
      tries: 3,
      answered: 1,
      refused: 1,
      timedOut: 1,
      silent: 0,
      failed: 0,
      statuses: [200],
    },
    masters: [
      {
        master: 'm1',
        to: 'm1',
        tries: 2,
        answered: 2,
        refused: 0,
        timedOut: 0,
        silent: 0,
        failed: 0,
        statuses: [401, 500],
      },
      { master: 'm2', to: 'm2', tries: 2, answered: 0, refused: 0, timedOut: 0, silent: 1, failed: 1, statuses: [] },
    ],
  });
  expect(parseDials('', 'x')).toEqual({ endpoint: undefined, masters: [] });
});

test('parseLook() reads what a node prints; what a log says cannot look like a section', () => {
  const text = `@ownhosts
 127.0.0.1
@podhosts kube-system_kube-proxy-x2p_0e1c-2
 172.16.105.26
@podhosts kube-system_etcd-m1_0123456789abcdef
@keepalived /etc/keepalived/keepalived.conf
 vrrp_instance VI_1 {
   virtual_router_id 51
 }
@kubelet
 cgroupDriver: cgroupfs
 failSwapOn: false
@containerd
             SystemdCgroup = true
@cni
 10-bridge.conflist
@drops
 inet fw in: tcp dport 6443 drop
@refused
 100.64.0.10 6444
@log kubelet kubelet.service
 2026-11-27T10:00:00.000000+00:00 m1 kubelet[1]: @cni
 2026-11-27T10:00:01.000000+00:00 m1 kubelet[1]: two
@log kube-proxy /var/log/pods/kube-system_kube-proxy-x2p_1/kube-proxy/0.log
 2026-11-27T10:00:02.5+00:00 stderr F three
@log keepalived keepalived.service
`;
  const { look, logs, texts } = parseLook(text, 'm1');
  expect(look).toEqual({
    ownHosts: ['127.0.0.1'],
    podHosts: [
      { pod: 'kube-system/kube-proxy-x2p', static: false, addresses: ['172.16.105.26'] },
      { pod: 'kube-system/etcd-m1', static: true, addresses: [] },
    ],
    keepalived: [
      {
        path: '/etc/keepalived/keepalived.conf',
        instances: [
          {
            name: 'VI_1',
            state: undefined,
            interface: undefined,
            routerId: 51,
            priority: undefined,
            unicastPeers: [],
            addresses: [],
          },
        ],
      },
    ],
    kubelet: { cgroupDriver: 'cgroupfs', failSwapOn: false },
    systemdCgroup: true,
    cniFiles: ['10-bridge.conflist'],
    refusedHere: [{ from: '100.64.0.10', port: 6444 }],
    drops: ['inet fw in: tcp dport 6443 drop'],
  });
  expect(logs.map(({ source, line, component, text: said }) => [source, line, component, said])).toEqual([
    ['m1: kubelet.service', 1, 'kubelet', '@cni'],
    ['m1: kubelet.service', 2, 'kubelet', 'two'],
    ['m1: /var/log/pods/kube-system_kube-proxy-x2p_1/kube-proxy/0.log', 1, 'kube-proxy', 'three'],
  ]);
  expect(texts.map(({ name }) => name)).toEqual([
    'kubelet.service',
    '/var/log/pods/kube-system_kube-proxy-x2p_1/kube-proxy/0.log',
  ]);
});

describe('keepalivedFile()', () => {
  test('reads what matters, whatever stands around it', () => {
    const lines = `global_defs {
  router_id m1
}
vrrp_script check { # asks haproxy
  interval 2
  priority 7
}
vrrp_instance VI_1 {
  state BACKUP
  interface eth0
  virtual_router_id 51
  priority 190
  authentication {
    auth_type PASS
  }
  unicast_peer {
    172.16.104.55
    172.16.104.56
  }
  virtual_ipaddress {
    172.16.104.26/32 dev eth0
  }
}
vrrp_instance VI_2 { ! another
  virtual_router_id 52
}`.split('\n');
    expect(keepalivedFile('k', lines)).toEqual({
      path: 'k',
      instances: [
        {
          name: 'VI_1',
          state: 'BACKUP',
          interface: 'eth0',
          routerId: 51,
          priority: 190,
          unicastPeers: ['172.16.104.55', '172.16.104.56'],
          addresses: ['172.16.104.26'],
        },
        {
          name: 'VI_2',
          state: undefined,
          interface: undefined,
          routerId: 52,
          priority: undefined,
          unicastPeers: [],
          addresses: [],
        },
      ],
    });
  });
});
