import { describe, expect, test } from 'vitest';
import { emptyAsk } from '../../../src/facts/probe.ts';
import { probes } from '../../../src/facts/probes/index.ts';

const parse = (text: string) => probes.datapath.parse(text, emptyAsk);

describe('the datapath probe', () => {
  test('reads plugins of single networks and of lists, and the mode of kube-proxy', () => {
    // The first as flannel's manifest has it, the second as OVN-Kubernetes writes it.
    const text = `@cni /etc/cni/net.d/10-flannel.conflist
{
  "name": "cbr0",
  "cniVersion": "0.3.1",
  "plugins": [
    {
      "type": "flannel",
      "delegate": {
        "hairpinMode": true,
        "isDefaultGateway": true
      }
    },
    {
      "type": "portmap",
      "capabilities": {
        "portMappings": true
      }
    }
  ]
}

@cni /etc/cni/net.d/10 ovn.conf
{"cniVersion":"0.4.0","name":"ovn-kubernetes","type":"ovn-k8s-cni-overlay","ipam":{},"dns":{},"logFile":"","logLevel":"4"}
@kube-proxy
ipvs`;
    expect(parse(text)).toEqual({
      cni: [
        { path: '/etc/cni/net.d/10-flannel.conflist', plugins: ['flannel', 'portmap'] },
        { path: '/etc/cni/net.d/10 ovn.conf', plugins: ['ovn-k8s-cni-overlay'] },
      ],
      kubeProxy: 'ipvs',
    });
  });

  test('a node without CNI and kube-proxy', () => {
    expect(parse('@kube-proxy\n')).toEqual({ cni: [], kubeProxy: undefined });
  });

  test.each(['{', 'null', '[]', '"flannel"', '{"plugins":[{"type":7},{}]}'])('%s names no plugin', (body) => {
    expect(parse(`@cni a\n${body}\n@kube-proxy\n404 page not found\n`)).toEqual({
      cni: [{ path: 'a', plugins: [] }],
      kubeProxy: undefined,
    });
  });
});
