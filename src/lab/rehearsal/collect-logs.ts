import type { RunResult } from '../../node/port.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import { ofRole } from './by-hand.ts';
import { containerLog, kubectlArgv } from './observe.ts';
import { redact } from './redact.ts';

/** Files of a run of kubeadm, by name; without secrets and without anything that is of this machine. */
export type KubeadmLogs = Readonly<Record<string, string>>;

const containers = ['kube-proxy', 'coredns', 'kube-apiserver', 'kube-controller-manager', 'etcd'] as const;

/** What somebody who has to find out what went wrong on a node would look at. */
export async function collectLogs(
  lab: RunningLab,
  machine: string,
  opts: { signal: AbortSignal },
): Promise<KubeadmLogs> {
  const run = async (argv: readonly string[]) => output(await lab.exec(machine, argv, opts));
  const journal = async (unit: string) =>
    await run(['journalctl', '--no-pager', '--output', 'short-precise', '--lines', '400', '--unit', unit]);
  const files: Record<string, string> = {
    'kubelet.journal.txt': await journal('kubelet'),
  };
  if (ofRole(lab, 'control-plane').some(({ name }) => name === machine)) {
    const get = async (...args: string[]) => await run(kubectlArgv(lab, machine, ['get', ...args, '--output', 'wide']));
    files['pods.txt'] = await get('pods', '--all-namespaces');
    files['nodes.txt'] = await get('nodes');
  }
  for (const container of containers) {
    files[`${container}.log`] = await containerLog(lab, machine, container, { ...opts, lines: 120 });
  }
  return Object.fromEntries(
    Object.entries(files)
      .filter(([, text]) => text !== '')
      .map(([name, text]) => [name, redact(text)]),
  );
}

/** What a terminal would have shown, with the exit code as its last line. */
export function transcript(result: RunResult, command: string): string {
  return redact(`$ ${command}\n${output(result)}exit ${result.exitCode} after ${(result.ms / 1000).toFixed(1)} s\n`);
}

function output({ stdout, stderr }: RunResult): string {
  return [stdout, stderr]
    .filter((text) => text !== '')
    .map((text) => (text.endsWith('\n') ? text : `${text}\n`))
    .join('');
}
