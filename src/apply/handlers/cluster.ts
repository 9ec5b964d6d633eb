import { OperatorError } from '../../errors/operator-error.ts';
import { removeMemberArgv } from '../../kube/etcd.ts';
import { kubectlArgv } from '../../kube/kubectl.ts';
import { type Handler, mustEndWell, type StepContext } from '../handler.ts';

const secretColumns = 'jsonpath={range .items[*]}{.metadata.name} {.data.description}{"\\n"}{end}';
// kubeadm's own words for the token that lets the uploaded certificates expire.
const certsTokenDescription = 'Proxy for managing TTL for the kubeadm-certs secret';

/** Deletes by name what joining needed. Deleting is safe to repeat, and what is not there is no failure. */
export const deleteCredentials: Handler<'delete-credentials'> = async (step, cx) => {
  const system = ['--namespace', 'kube-system'];
  const type = 'type=bootstrap.kubernetes.io/token';
  const list = await probeKubectl(cx, step.node, [
    ...system,
    'get',
    'secrets',
    '--field-selector',
    type,
    '-o',
    secretColumns,
  ]);
  const ours = new Set([step.tokenDescription, certsTokenDescription]);
  const tokens = list.split('\n').flatMap((line) => {
    const [name = '', description = ''] = line.split(' ');
    return ours.has(Buffer.from(description, 'base64').toString()) ? [name] : [];
  });
  if (cx.secrets.has('join-token')) tokens.push(`bootstrap-token-${cx.secrets.value('join-token').slice(0, 6)}`);
  // The tokens last: while one of ours is there, the next run knows that this was not finished.
  const names = ['kubeadm-certs', ...new Set(tokens)];
  await cx.mustChange(
    kubectlArgv(cx.spec, cx.specNode(step.node), [...system, 'delete', 'secret', '--ignore-not-found', ...names]),
    'Deleting the join credentials',
  );
  return `${names.length - 1} token${names.length === 2 ? '' : 's'} and the uploaded certificates`;
};

/** `path` is a file of the operator's machine; it goes to the apiserver as it is. */
export const applyManifest: Handler<'apply-manifest'> = async (step, cx) => {
  const manifest = await cx.readLocal(step.path);
  const argv = kubectlArgv(cx.spec, cx.specNode(step.node), ['apply', '--filename', '-']);
  const { stdout } = await cx.mustChange(argv, `Applying ${step.path}`, { stdin: manifest, timeout: 120_000 });
  return `${stdout.trim().split('\n').length} objects`;
};

export const removeEtcdMember: Handler<'remove-etcd-member'> = async (step, cx) => {
  const result = await cx.change(removeMemberArgv(cx.specNode(step.node), step.memberId), { timeout: 60_000 });
  // A run that was killed right after the removal comes here again.
  if (/member not found/i.test(result.stderr + result.stdout)) return 'was gone already';
  mustEndWell(result, `Removing etcd member ${step.memberId}`);
  return undefined;
};

export const deleteNode: Handler<'delete-node'> = async (step, cx) => {
  const args = ['delete', 'node', step.name, '--ignore-not-found', '--timeout=60s'];
  const argv = kubectlArgv(cx.spec, cx.specNode(step.node), args);
  await cx.mustChange(argv, `Deleting node ${step.name}`, { timeout: 90_000 });
  return undefined;
};

export async function probeKubectl(cx: StepContext, master: string, args: readonly string[]): Promise<string> {
  const result = await cx.other(master).probe(kubectlArgv(cx.spec, cx.specNode(master), args), { timeout: 30_000 });
  if (result.exitCode !== 0) {
    throw new OperatorError('STEP_FAILED', `kubectl on ${master} failed: ${args.slice(0, 4).join(' ')}`, {
      cause: result.stderr.trim().split('\n').at(-1) ?? '',
    });
  }
  return result.stdout;
}
