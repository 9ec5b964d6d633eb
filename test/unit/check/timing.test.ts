import { describe, expect, test } from 'vitest';
import { haproxyNumbers, keepalivedNumbers } from '../../../src/check/timing.ts';
import { timingText } from '../../../src/cli/commands/check-timing.ts';
import { timingOf } from '../../../src/cluster-timing.ts';
import { specOf } from '../../support/spec.ts';

const cluster = (spec: { version?: string; check?: string; strategy?: string; endpoint?: string; rest?: string }) =>
  timingOf(
    specOf(`apiVersion: hairpin/v1alpha1
kind: Cluster
metadata: { name: prod }
spec:
  kubernetes: { version: ${spec.version ?? 'v1.37.2'}, cni: { kind: bridge } }
  endpoint: ${spec.endpoint ?? '{ address: 172.16.105.26, port: 6443 }'}
  ${spec.strategy === 'keepalived-vip' ? '' : `balancer: ${spec.check ?? '{ backendPort: 6443, hairpin: drop, healthCheck: { protocol: https, interval: 2s, timeout: 5s, rise: 3, fall: 3 } }'}`}
  strategy: ${spec.strategy ?? 'steer'}
  nodes:
    - { name: m1, role: control-plane, address: 172.16.104.54 }
    - { name: m2, role: control-plane, address: 172.16.104.55 }
    - { name: m3, role: control-plane, address: 172.16.104.56 }
${spec.rest ?? ''}`),
  );
const brief = (report: ReturnType<typeof cluster>) =>
  report.inequalities.map(({ name, holds, numbers }) => `${holds ? 'ok' : 'NOT'} ${name} ${numbers}`);

describe('timingOf()', () => {
  test('a balancer that checks by https: everything is in order', () => {
    const report = cluster({});
    expect(timingText(report, { color: false })).toMatchInlineSnapshot(`
      "  the balancer ejects a master that refuses           4.0 s – 6.0 s    https check: 2.0 s × 3 + 5.0 s
        the balancer ejects a master that is silent         9.0 s – 11.0 s   https check: 2.0 s × 3 + 5.0 s
        the balancer ejects an apiserver that hangs         9.0 s – 11.0 s   https check: 2.0 s × 3 + 5.0 s
        the balancer takes it back                          4.0 s – 11.0 s   https check: 2.0 s × 3 + 5.0 s
        without its prober a node dials the balancer again  2.0 s – 3.3 s    element timeout of 3 s, renewed each second (facts/steering.md, measured 3.3 s)
        a client gives up a connection that is silent       15.0 s – 45.0 s  client-go defaults: ping after 30 s of silence, given up 15 s later (facts/peers.md §0.5)
        Kubernetes counts a node as lost without its lease  40.0 s – 50.0 s  node-monitor-grace-period of v1.37.2 when nobody says (50 s since v1.32, 40 s before)

      ✔ a client gives up a silent connection before its node counts as lost   45.0 s < 50.0 s
      ✔ the balancer ejects a silent master before nodes count as lost   11.0 s < 50.0 s
      ✔ the balancer has ejected a silent master when its clients dial again   11.0 s < 45.0 s

      3 of 3 are in the right order."
    `);
  });

  test('up to v1.31 a node is lost before its kubelet notices', () => {
    expect(brief(cluster({ version: 'v1.31.0' }))).toEqual([
      'NOT client-before-node-lost 45.0 s ≥ 40.0 s',
      'ok ejection-before-node-lost 11.0 s < 40.0 s',
      'ok ejection-before-redial 11.0 s < 45.0 s',
    ]);
  });

  test('a slow check', () => {
    const check =
      '{ backendPort: 6443, hairpin: drop, healthCheck: { protocol: tcp, interval: 15s, timeout: 10s, rise: 2, fall: 3 } }';
    expect(brief(cluster({ check }))).toEqual([
      'ok client-before-node-lost 45.0 s < 50.0 s',
      'NOT ejection-before-node-lost 55.0 s ≥ 50.0 s',
      'NOT ejection-before-redial 55.0 s ≥ 45.0 s',
    ]);
  });

  const shutdown = (ms: string) => `  kubeadm:
    documents:
      - apiVersion: kubeadm.k8s.io/v1beta4
        kind: ClusterConfiguration
        apiServer: { extraArgs: [{ name: shutdown-delay-duration, value: ${ms} }] }
`;

  test('an apiserver that shuts down too quickly, and a tcp check that never notices', () => {
    expect(brief(cluster({ rest: shutdown('5s') })).at(-1)).toBe('NOT ejection-before-shutdown 6.0 s ≥ 5.0 s');
    expect(brief(cluster({ rest: shutdown('10s') })).at(-1)).toBe('ok ejection-before-shutdown 6.0 s < 10.0 s');
    const check = '{ backendPort: 6443, hairpin: drop, healthCheck: { protocol: tcp, interval: 2s, timeout: 5s } }';
    expect(brief(cluster({ check, rest: shutdown('60s') })).at(-1)).toBe(
      'NOT ejection-before-shutdown never ≥ 1 m 00 s',
    );
  });

  test("a product's idle time-out is known", () => {
    const report = cluster({ check: '{ backendPort: 6443, hairpin: drop, product: alibaba-clb }' });
    expect(brief(report).at(-1)).toBe('ok ping-before-balancer-idle 30.0 s < 15 m 00 s');
  });

  test('keepalived and haproxy as they are rendered', () => {
    const report = cluster({ strategy: 'keepalived-vip', endpoint: '{ address: 172.16.104.26, port: 9443 }' });
    expect(brief(report)).toEqual([
      'ok client-before-node-lost 45.0 s < 50.0 s',
      'ok ping-before-proxy-idle 45.0 s < 10 m 00 s',
      'ok haproxy-before-keepalived 4.0 s < 7.0 s',
    ]);
    expect(report.rows.filter(({ name }) => /haproxy|keepalived/.test(name))).toMatchObject([
      { name: 'haproxy-down', takes: { atLeast: 5000, atMost: 6000 } },
      { name: 'keepalived-move', takes: { atLeast: 5000, atMost: 7000 } },
    ]);
  });
});

test('numbers of the kubeadm guide: its keepalived is slower than its haproxy, and its time-outs are near 30 s', () => {
  const haproxy = `defaults
    timeout client          35s
    timeout server          35s
    timeout check           10s
backend apiserverbackend
    server m1 172.16.104.54:6443 check verify none
`;
  expect(haproxyNumbers(haproxy)).toEqual({ intervalMs: 2000, timeoutMs: 10_000, rise: 2, fall: 3, idleMs: 35_000 });
  const keepalived = `vrrp_script check_apiserver {
  script "/etc/keepalived/check_apiserver.sh"
  interval 3
  weight -2
  fall 10
  rise 2
}
`;
  expect(keepalivedNumbers(keepalived)).toEqual({ intervalMs: 3000, timeoutMs: 3000, rise: 2, fall: 10 });
  expect(keepalivedNumbers('vrrp_instance VI_1 { state MASTER }')).toBeUndefined();
});
