import type { Cause } from '../cause.ts';
import { each, known } from './help.ts';

export const cgroupDriverMismatch: Cause = {
  id: 'cgroup-driver-mismatch',
  title: 'kubelet and container runtime use different cgroup drivers',
  needs: ['look', 'logs'],
  why: 'the kubelet names cgroups in one way and the runtime expects the other, so pods do not start (or two managers fight over them)',
  explanation: `cgroupDriver of the kubelet (systemd unless told otherwise) and SystemdCgroup of containerd's runc have to agree. When they
do not, runc refuses the cgroup's path and no container starts, static pods included; old docker setups refuse at the
kubelet's start. Kubelets from 1.34 on ask a containerd 2 or newer which one it uses.`,
  run: 'grep cgroupDriver /var/lib/kubelet/config.yaml; grep SystemdCgroup /etc/containerd/config.toml    (on {nodes}; make them agree, restart both)',
  produced: 'scenario',
  signs: [
    {
      in: ['kubelet', 'containerd', 'kubeadm'],
      match: /expected cgroupsPath to be of format \\*"slice:prefix:name\\*" for systemd cgroups/,
      confidence: 'certain',
      example:
        'E1127 10:00:00.000000    1811 pod_workers.go:1324] "Error syncing pod, skipping" err="failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: expected cgroupsPath to be of format \\"slice:prefix:name\\" for systemd cgroups, got \\"/kubepods/burstable/pod1/abc\\" instead: unknown" pod="kube-system/etcd-m1"',
      seenIn: 'runc 1.1 with SystemdCgroup = true under a kubelet with cgroupfs',
    },
    {
      in: ['kubelet'],
      match:
        /misconfiguration: kubelet cgroup driver: "?\\?"?\w+\\?"?"? is different from (?:docker|container runtime) cgroup driver/,
      confidence: 'certain',
      example:
        'F0412 10:11:12.000000    1811 server.go:266] failed to run Kubelet: failed to create kubelet: misconfiguration: kubelet cgroup driver: "cgroupfs" is different from docker cgroup driver: "systemd"',
      seenIn: 'kubelet up to 1.23 with dockershim',
    },
  ],
  judge: (live) =>
    each(live.nodes, 'likely', (node) => {
      const driver = node.look?.kubelet.cgroupDriver;
      const systemd = node.look?.systemdCgroup;
      if (driver === undefined || systemd === undefined || (driver === 'systemd') === systemd) return undefined;
      const runtime = systemd ? 'systemd' : 'cgroupfs';
      const listening = known(node.facts?.listening);
      if (listening === undefined || listening.some(({ programs }) => programs.includes('kubelet'))) return undefined;
      // A kubelet that asks the runtime does not care what its own file says; only a node that is down is evidence.
      return `the kubelet says ${driver}, containerd says ${runtime}, and the kubelet does not run`;
    }),
};
