import { OperatorError } from '../../errors/operator-error.ts';
import { kubectlArgv } from '../../kube/kubectl.ts';
import { controlPlaneNodes } from '../../spec/spec.ts';
import type { Handler, StepContext, StepOf } from '../handler.ts';
import { probeKubectl } from './cluster.ts';

/**
 * Moves a manifest out, waits until its process has ended, moves it back and waits until the process is there again. A
 * run that is killed between the two leaves the manifest in the kubelet's sight of nobody: so it is kept beside the
 * directory under a name that the next run looks for first.
 */
const restartScript = `
name=$1
manifest=/etc/kubernetes/manifests/$name.yaml
aside=/etc/kubernetes/$name.yaml.hairpin-aside
runs() {
  for file in /proc/[0-9]*/cmdline; do
    first=$(tr '\\0' '\\n' <"$file" 2>/dev/null | head -n 1)
    [ "\${first##*/}" = "$name" ] && return 0
  done
  return 1
}
wait_for() {
  tries=0
  while [ $tries -lt 600 ]; do
    if runs; then state=up; else state=down; fi
    [ $state = "$1" ] && return 0
    tries=$((tries + 1)); sleep 0.2
  done
  echo "$name did not go $1 within 2 minutes" >&2
  return 1
}
[ -e "$manifest" ] || [ -e "$aside" ] || { echo "no manifest $manifest" >&2; exit 1; }
[ -e "$aside" ] || mv -- "$manifest" "$aside" || exit 1
wait_for down
down=$?
mv -- "$aside" "$manifest" || exit 1
[ $down = 0 ] && wait_for up
`;

export const restartPods: Handler<'restart-pods'> = async (step, cx) => {
  for (const [index, name] of step.staticPods.entries()) {
    cx.progress(name, index, step.staticPods.length);
    const argv = ['sh', '-c', restartScript, 'hairpin-restart', name];
    await cx.mustChange(argv, `Restarting ${name}`, { timeout: 300_000 });
  }
  if (!step.hostNetworkPods) return undefined;
  const count = await deleteHostNetworkPods(step, cx);
  return `${count} hostNetwork pod${count === 1 ? '' : 's'} made anew`;
};

const podPath =
  'jsonpath={range .items[?(@.spec.hostNetwork==true)]}{.metadata.namespace} {.metadata.name} {.metadata.ownerReferences[0].kind}{"\\n"}{end}';

/** Static pods have their node as owner and are left out; pods without an owner would not come back. */
async function deleteHostNetworkPods(step: StepOf<'restart-pods'>, cx: StepContext): Promise<number> {
  const asked = controlPlaneNodes(cx.spec)[0];
  if (asked === undefined) throw new OperatorError('STEP_FAILED', 'The spec has no master');
  const selector = ['get', 'pods', '--all-namespaces', '--field-selector', `spec.nodeName=${step.node}`];
  const text = await probeKubectl(cx, asked.name, [...selector, '-o', podPath]);
  const pods = text.split('\n').flatMap((line) => {
    const [namespace = '', name = '', owner = ''] = line.split(' ');
    return name === '' || owner === '' || owner === 'Node' ? [] : [{ namespace, name }];
  });
  for (const { namespace, name } of pods) {
    const args = ['--namespace', namespace, 'delete', 'pod', name, '--ignore-not-found', '--wait=false'];
    await cx.mustChangeOn(asked.name, kubectlArgv(cx.spec, asked, args), `Deleting pod ${namespace}/${name}`);
  }
  return pods.length;
}
