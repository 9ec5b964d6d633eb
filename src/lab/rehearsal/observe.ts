import { formatHostPort } from '../../std/address.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import { endpointOf } from './kubeadm-documents.ts';

/** What became of a number of new connections to the endpoint from one machine. */
export interface Outcomes {
  readonly machine: string;
  readonly tries: number;
  readonly answered: number;
  readonly refused: number;
  readonly silent: number;
}

/** Seconds: a SYN that nobody answers is sent again after 1 s, so a connection that is made at all is made within that. */
const patience = 2;
const atOnce = 10;

/** Opens `tries` connections to the endpoint from inside a machine, as any client there would, and counts. */
export async function tryEndpoint(
  lab: RunningLab,
  machine: string,
  tries: number,
  opts: { signal: AbortSignal },
): Promise<Outcomes> {
  const { domain, addresses, port } = lab.spec.endpoint;
  const host = domain ?? addresses[0]?.text ?? '';
  const one = `timeout ${patience} bash -c 'exec 3<>/dev/tcp/${host}/${port}' 2>/dev/null; echo $?`;
  const argv = ['sh', '-c', 'seq "$1" | xargs -P "$2" -I{} bash -c "$3"', 'try', String(tries), String(atOnce), one];
  const { stdout } = await lab.exec(machine, argv, opts);
  return countOutcomes(machine, stdout);
}

/** Reads one exit code a line: 0 connected, 124 killed by `timeout`, anything else refused. Pure. */
export function countOutcomes(machine: string, stdout: string): Outcomes {
  const codes = stdout.split('\n').filter((line) => line !== '');
  const count = (matches: (code: string) => boolean) => codes.filter(matches).length;
  return {
    machine,
    tries: codes.length,
    answered: count((code) => code === '0'),
    silent: count((code) => code === '124'),
    refused: count((code) => code !== '0' && code !== '124'),
  };
}

/** What a container printed last on a node, read from the node's disk: it works when the API does not. */
export async function containerLog(
  lab: RunningLab,
  machine: string,
  container: string,
  opts: { signal: AbortSignal; lines?: number },
): Promise<string> {
  const files = `/var/log/pods/*/${container}/*.log`;
  const script = `for file in ${files}; do [ -e "$file" ] && tail -n ${opts.lines ?? 200} "$file"; done; true`;
  const { stdout } = await lab.exec(machine, ['sh', '-c', script], opts);
  // containerd writes "TIME stdout F " before each line.
  return stdout.replaceAll(/^\S+ (stdout|stderr) [FP] /gm, '');
}

export interface ProxyState {
  /** It waits for its first list of Services and has no rules yet. */
  readonly waiting: boolean;
  readonly synced: boolean;
}

/** Whether the kube-proxy of a node has got what it needs from the endpoint. */
export async function proxyState(lab: RunningLab, machine: string, opts: { signal: AbortSignal }): Promise<ProxyState> {
  return readProxyLog(await containerLog(lab, machine, 'kube-proxy', opts));
}

/** Reads what kube-proxy prints. Pure. */
export function readProxyLog(log: string): ProxyState {
  return { waiting: /Waiting for caches to sync/.test(log), synced: /Caches are synced/.test(log) };
}

/**
 * `kubectl` on a master against its own apiserver, which works whatever the balancer does. The first master has a
 * kubeconfig that works even when `kubeadm init` ended half-way.
 */
export function kubectlArgv(lab: RunningLab, master: string, args: readonly string[]): readonly string[] {
  const [address] = lab.spec.machines.find((machine) => machine.name === master)?.addresses ?? [];
  const server = address === undefined ? endpointOf(lab.spec) : formatHostPort(address, lab.spec.apiServerPort);
  const script =
    'cd /etc/kubernetes; [ -e super-admin.conf ] && f=super-admin.conf || f=admin.conf; exec kubectl --kubeconfig $f "$@"';
  return ['sh', '-c', script, 'kubectl', '--server', `https://${server}`, '--request-timeout', '10s', ...args];
}
