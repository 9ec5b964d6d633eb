import type { Step } from '../plan/step.ts';

/** What a step does, for a line of progress: `m2 kubeadm join`. Why it does so is in the plan. */
export function titleOf(step: Step): string {
  return `${step.node} ${whatOf(step)}`;
}

function whatOf(step: Step): string {
  switch (step.kind) {
    case 'write-file':
      return `write ${step.path}`;
    case 'remove-file':
      return `remove ${step.path}`;
    case 'run':
      return `run ${step.argv[0] === 'sh' ? step.id.split('/').slice(1).join('/') : step.argv.join(' ')}`;
    case 'unit':
      return `${step.actions.join(', ')} ${step.unit}`.trim();
    case 'hold':
      return `wait: ${waitedFor(step.check)}`;
    case 'kubeadm-init':
      return 'kubeadm init';
    case 'kubeadm-join':
      return `kubeadm join${step.role === 'control-plane' ? ' as master' : ''}`;
    case 'join-credentials':
      return 'make join credentials';
    case 'delete-credentials':
      return 'delete join credentials';
    case 'copy-certificates':
      return `copy certificates from ${step.from}`;
    case 'hosts-block':
      return `${step.lines.length === 0 ? 'clear' : 'set'} our lines in ${step.path}`;
    case 'restart-pods':
      return `restart ${[...step.staticPods, ...(step.hostNetworkPods ? ['hostNetwork pods'] : [])].join(', ')}`;
    case 'apply-manifest':
      return `apply ${step.path}`;
    case 'install-bundle':
      return `install ${step.path}`;
    case 'import-images':
      return `import images of ${step.path}`;
    case 'kubeadm-reset':
      return 'kubeadm reset';
    case 'remove-etcd-member':
      return `remove etcd member ${step.memberName === '' ? step.memberId : step.memberName}`;
    case 'delete-node':
      return `delete node ${step.name}`;
  }
}

type HoldCheck = Extract<Step, { kind: 'hold' }>['check'];

function waitedFor(check: HoldCheck): string {
  switch (check.is) {
    case 'unit-active':
      return `${check.unit} runs`;
    case 'address-present':
      return `${check.address.text} is there`;
    case 'apiserver-ready':
      return 'apiserver is ready';
    case 'endpoint-answers':
      return 'the endpoint answers';
    case 'etcd-voters':
      return `etcd has ${check.count} voters`;
    case 'nodes-ready':
      return check.nodes.length === 1 ? `node ${check.nodes[0]} is Ready` : `${check.nodes.length} nodes are Ready`;
    case 'kube-proxy-synced':
      return 'kube-proxy has synced';
    case 'coredns-ready':
      return 'CoreDNS is ready';
  }
}
