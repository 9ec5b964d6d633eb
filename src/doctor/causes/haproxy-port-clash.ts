import type { Cause } from '../cause.ts';
import { each, listeners, masters } from './help.ts';

export const haproxyPortClash: Cause = {
  id: 'haproxy-port-clash',
  title: 'haproxy and the apiserver want the same port',
  needs: ['facts', 'logs'],
  why: 'on {nodes} both are to listen on one port; who comes second cannot start',
  explanation: `On a master haproxy needs another port than the apiserver of the same machine: endpoint port = haproxy's port =
balancer's backend port, and the apiserver keeps 6443 (the article uses 9443). With both on 6443 either haproxy does not
start, or after a reboot haproxy is first and the apiserver restarts for ever.`,
  run: 'ss -ltnp | grep -w 6443    (on {node}); then give spec.endpoint.port and balancer.backendPort another port: hairpin plan',
  produced: 'real',
  signs: [
    {
      in: ['haproxy'],
      match:
        /(?:cannot bind socket|Starting (?:frontend|proxy) .*: cannot bind).*(?:Address already in use|\[.*:6443\])/i,
      confidence: 'certain',
      example:
        '[ALERT]    (7) : Binding [haproxy.cfg:7] for frontend endpoint: cannot bind socket (Address already in use) for [0.0.0.0:6443]',
      seenIn: 'haproxy 2.6.12 with its port taken (test/wire/doctor-programs.test.ts)',
    },
    {
      in: ['kube-apiserver'],
      match: /failed to (?:create listener: failed to )?listen on .*:\d+: .*bind: address already in use/,
      confidence: 'certain',
      example:
        'E1127 10:00:00.000000       1 run.go:72] "command failed" err="failed to create listener: failed to listen on 0.0.0.0:6443: listen tcp 0.0.0.0:6443: bind: address already in use"',
      seenIn: 'kube-apiserver v1.37.2 with its port taken (test/wire/doctor-programs.test.ts)',
    },
    {
      in: ['kubeadm'],
      match: /\[ERROR Port-6443\]: Port 6443 is in use/,
      confidence: 'likely',
      example: '\t[ERROR Port-6443]: Port 6443 is in use',
      seenIn: "kubeadm's preflight (kubeadm app/preflight/checks.go)",
    },
  ],
  judge: (live) =>
    each(masters(live), 'certain', (node) => {
      const there = listeners(node, live.spec.apiServerPort) ?? [];
      return there.includes('haproxy')
        ? `haproxy listens on ${live.spec.apiServerPort}, the apiserver's port${there.includes('kube-apiserver') ? ', beside the apiserver' : ''}`
        : undefined;
    }),
};
