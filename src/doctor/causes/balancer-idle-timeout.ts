import type { Cause } from '../cause.ts';

export const balancerIdleTimeout: Cause = {
  id: 'balancer-idle-timeout',
  title: 'something on the way forgets idle connections in less than 30 s',
  needs: ['logs'],
  why: 'client-go pings an idle connection after 30 s; what forgets it earlier breaks every quiet watch, again and again',
  explanation: `Kubernetes clients keep one connection with long watches in it. client-go sends its first ping after 30 s without traffic
(HTTP2_READ_IDLE_TIMEOUT_SECONDS) and gives up 15 s later. A balancer, NAT or proxy with an idle timeout at or below that
(haproxy's \`timeout client 30s\`, kubeadm#2227) cuts watches in the quiet: clients log lost connections in a rhythm while
everything is healthy.`,
  run: 'hairpin check timing    (says which timeout is below 30 s; raise it to 10 minutes or more)',
  general: true,
  produced: 'recorded',
  signs: [
    {
      // Not of the controllers: they dial their own apiserver, past every balancer.
      in: ['kubelet', 'kube-proxy'],
      match: /http2: client connection (?:lost|force closed via ClientConn\.Close)/,
      confidence: 'likely',
      // One lost connection makes every watch in it say so; an idle timeout does it again and again.
      atLeast: 3,
      again: true,
      example: `E1127 10:00:45.000000    1811 controller.go:195] "Failed to update lease" err="Put \\"https://172.16.105.26:6443/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/w1?timeout=10s\\": http2: client connection lost"`,
      seenIn: 'kubelet (golang.org/x/net/http2 ErrClientConnLost)',
    },
  ],
};
