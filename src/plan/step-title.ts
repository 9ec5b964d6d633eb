import type { HoldCheck, Step } from './step.ts';

/** What a step does, without the node. */
export function stepTitle(step: Step): string {
  switch (step.kind) {
    case 'write-file':
      return `write ${step.path}`;
    case 'remove-file':
      return `remove ${step.path}`;
    case 'run':
      return step.argv[0] === 'sh' ? step.id.slice(step.node.length + 1).replaceAll('-', ' ') : step.argv.join(' ');
    case 'unit':
      return `${step.actions.filter((action) => action !== 'daemon-reload').join(', ')} ${step.unit}`;
    case 'hold':
      return `wait: ${waitedFor(step.check)}`;
    case 'kubeadm-init':
      return 'kubeadm init';
    case 'kubeadm-join':
      return step.role === 'control-plane' ? 'kubeadm join as master' : 'kubeadm join';
    case 'join-credentials':
      return 'make join credentials';
    case 'delete-credentials':
      return 'delete join credentials';
    case 'copy-certificates':
      return `copy certificates from ${step.from}`;
    case 'hosts-block':
      return step.lines.length === 0 ? `clear our lines in ${step.path}` : `set our lines in ${step.path}`;
    case 'restart-pods':
      return `restart ${[...step.staticPods, ...(step.hostNetworkPods ? ['hostNetwork pods'] : [])].join(', ')}`;
    case 'apply-manifest':
      return `apply ${step.path}`;
    case 'install-bundle':
      return `install ${step.path}`;
    case 'install-program':
      return `install hairpin ${step.program}`;
    case 'kubeadm-ca':
      return 'make the CA of the cluster';
    case 'deliver-ca':
      return `copy the CA of the cluster from ${step.from}`;
    case 'import-images':
      return `import the images of ${step.path}`;
    case 'kubeadm-reset':
      return 'kubeadm reset';
    case 'remove-etcd-member':
      return `remove etcd member ${step.memberName === '' ? step.memberId : step.memberName}`;
    case 'delete-node':
      return `delete node ${step.name}`;
  }
}

function waitedFor(check: HoldCheck): string {
  switch (check.is) {
    case 'unit-active':
      return `${check.unit} runs`;
    case 'address-present':
      return `${check.address.text} is there`;
    case 'apiserver-ready':
      return 'the apiserver is ready';
    case 'endpoint-answers':
      return 'the endpoint answers';
    case 'etcd-voters':
      return check.count === 1 ? 'etcd has 1 voter' : `etcd has ${check.count} voters`;
    case 'nodes-ready':
      return check.nodes.length === 1 ? `${check.nodes[0]} is Ready` : `${check.nodes.length} nodes are Ready`;
    case 'kube-proxy-synced':
      return 'kube-proxy has synced';
    case 'coredns-ready':
      return 'CoreDNS is ready';
  }
}
