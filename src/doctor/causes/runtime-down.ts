import type { Cause } from '../cause.ts';
import { each, isMember, known } from './help.ts';

export const runtimeDown: Cause = {
  id: 'runtime-down',
  title: 'the container runtime does not run',
  needs: ['facts', 'logs'],
  why: 'containers on {nodes} go on as they are, and none can be started, looked at or stopped',
  explanation: `The kubelet does everything through the runtime's socket. Without it the node goes NotReady with "container runtime is down",
and kubeadm stops at its preflight.`,
  run: 'systemctl start containerd; journalctl -u containerd -n 50    (on {nodes})',
  logsAloneAreOld: true,
  produced: 'real',
  signs: [
    {
      in: ['kubelet'],
      match:
        /(?:unix:\/\/)?\/(?:var\/)?run\/containerd\/containerd\.sock\S*:? connect: (?:connection refused|no such file or directory)/,
      unless: /Successfully registered node|"Starting to sync pod status/,
      confidence: 'likely',
      example:
        'E1127 10:00:00.000000    1811 log.go:32] "Status from runtime service failed" err="rpc error: code = Unavailable desc = connection error: desc = \\"transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused\\""',
      seenIn: 'kubelet (grpc)',
    },
    {
      in: ['kubeadm'],
      match: /\[ERROR CRI\]: (?:container runtime is not running|could not connect to the container runtime)/,
      confidence: 'certain',
      example:
        '\t[ERROR CRI]: could not connect to the container runtime: failed to create new CRI runtime service: validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory"',
      seenIn: 'kubeadm join of v1.37.2 without a runtime (test/wire/doctor-kubeadm.test.ts)',
    },
  ],
  judge: (live) =>
    each(live.nodes, 'certain', (node) => {
      const units = known(node.facts?.units);
      if (!isMember(node) || units === undefined) return undefined;
      const runtimes = ['containerd.service', 'crio.service', 'docker.service'].flatMap((name) => {
        const unit = units[name];
        return unit === undefined ? [] : [{ name, active: unit.active }];
      });
      if (runtimes.length === 0 || runtimes.some(({ active }) => active === 'active')) return undefined;
      return runtimes.map(({ name, active }) => `${name} is ${active}`).join(', ');
    }),
};
