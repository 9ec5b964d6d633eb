import { setHostsBlock } from '../render/hosts/block.ts';
import { flagsOf } from '../render/kubeadm/commands.ts';
import { showSecretText } from '../render/kubeadm/secret-text.ts';
import type { Spec } from '../spec/spec.ts';
import { formatHostPort } from '../std/address.ts';
import { quoteArgv } from '../std/quote.ts';
import type { Plan } from './plan.ts';
import type { Step } from './step.ts';
import { stepTitle } from './step-title.ts';

export interface NodeFile {
  /** As on the node, with a leading slash; `/BY-HAND.md` is ours. */
  readonly path: string;
  readonly content: string;
  readonly mode: number;
}

/**
 * Every file that a plan puts on one node, and a page that says in which order a person would do the same. Secrets are
 * their names between angle brackets.
 */
export function nodeFiles(spec: Spec, plan: Plan, node: string): readonly NodeFile[] {
  const own = plan.steps.filter((step) => step.node === node);
  const files = new Map<string, NodeFile>();
  for (const step of own) {
    for (const file of filesOf(step)) files.set(file.path, file);
  }
  const byHand = { path: '/BY-HAND.md', content: byHandPage(spec, plan, node, own), mode: 0o644 };
  return [...files.values(), byHand];
}

function filesOf(step: Step): readonly NodeFile[] {
  if (step.kind === 'write-file') return [{ path: step.path, content: step.content, mode: step.mode }];
  if (step.kind === 'hosts-block') {
    return [{ path: step.path, content: `${setHostsBlock('', step.lines)}\n`, mode: 0o644 }];
  }
  // Every step with a configuration for kubeadm keeps it for the time of the command only, and 0600.
  if (!('configPath' in step)) return [];
  const config = { path: step.configPath, content: showSecretText(step.config), mode: 0o600 };
  if (step.kind !== 'kubeadm-join' || step.discovery === undefined) return [config];
  return [config, { path: step.discovery.path, content: showSecretText(step.discovery.content), mode: 0o600 }];
}

function byHandPage(spec: Spec, plan: Plan, node: string, steps: readonly Step[]): string {
  const lines = steps.flatMap((step, i) => {
    const elsewhere = step.needs.filter((id) => !id.startsWith(`${node}/`));
    const after = elsewhere.length === 0 ? '' : ` (after ${elsewhere.join(', ')})`;
    const commands = commandsOf(spec, step).map((line) => `       ${line}`);
    return [`${i + 1}. ${stepTitle(step)}: ${step.because}${after}`, ...commands];
  });
  return [
    `# ${node} of ${plan.cluster}: Kubernetes ${plan.kubernetes}, strategy ${plan.strategy.name}`,
    '',
    'What `hairpin up` does on this node, in this order. The files are beside this page, under their paths.',
    '',
    ...lines,
    '',
  ].join('\n');
}

/** Shell lines for a person who does it by hand; a step without any needs no command or names its file. */
function commandsOf(spec: Spec, step: Step): readonly string[] {
  if (step.kind === 'unit') {
    const { unit, actions } = step;
    return actions.map((action) => quoteArgv(['systemctl', action, ...(action === 'daemon-reload' ? [] : [unit])]));
  }
  if (step.kind === 'apply-manifest') {
    return [quoteArgv(['kubectl', '--kubeconfig', '/etc/kubernetes/admin.conf', 'apply', '-f', step.path])];
  }
  if (step.kind === 'join-credentials') return step.commands.map(quoteArgv);
  if (!('argv' in step) || step.argv[0] === 'sh') return [];
  if (step.kind !== 'kubeadm-join') return [quoteArgv(step.argv)];
  return [
    quoteArgv(step.argv),
    `# the same with flags, which everybody on the node can read: ${joinWithFlags(spec, step.role)}`,
  ];
}

/** The command that kubeadm itself would print, as this version knows it. */
function joinWithFlags(spec: Spec, role: 'control-plane' | 'worker'): string {
  const endpoint = formatHostPort(spec.endpoint.host, spec.endpoint.port);
  const base = `kubeadm join ${endpoint} --token <join-token> --discovery-token-ca-cert-hash <ca-cert-hash>`;
  if (role === 'worker') return base;
  return `${base} ${flagsOf(spec.kubernetes.version).controlPlane} --certificate-key <certificate-key>`;
}
