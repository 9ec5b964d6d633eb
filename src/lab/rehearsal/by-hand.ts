import { OperatorError } from '../../errors/operator-error.ts';
import type { RunResult } from '../../node/port.ts';
import { type Emit, task } from '../../report/event.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import type { LabMachine } from '../spec/lab-spec.ts';
import { bridgeConflist, cniFile } from './cni.ts';
import { ignoredPreflight, initDocuments } from './kubeadm-documents.ts';

/**
 * kubeadm as its manual says, and nothing else: what a person does who has never heard of hairpinning. Shows what
 * breaks behind a balancer, gives tests a real cluster, and is what `hairpin up` is compared with.
 */
export interface ByHandOptions {
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** What `kubeadm init` prints for those who join. All three are secrets. */
export interface JoinSecrets {
  readonly endpoint: string;
  readonly token: string;
  readonly caHash: string;
  readonly certificateKey: string;
}

export interface InitOutcome {
  readonly result: RunResult;
  /** Absent when `init` did not say how to join. */
  readonly join: JoinSecrets | undefined;
}

const initTimeout = 600_000;
const joinTimeout = 600_000;

/** The whole manual: CNI, init, joins of the other masters one after the other, then the workers. Throws when one fails. */
export async function clusterByHand(lab: RunningLab, opts: ByHandOptions): Promise<JoinSecrets> {
  const [leader, ...followers] = ofRole(lab, 'control-plane');
  if (leader === undefined) throw new RangeError('The lab has no master');
  await installCni(lab, opts);
  const { result, join } = await kubeadmInit(lab, leader, opts);
  if (join === undefined) throw failed('kubeadm init', leader, result);
  for (const machine of [...followers, ...ofRole(lab, 'worker')]) {
    const joined = await kubeadmJoin(lab, machine, join, opts);
    if (joined.exitCode !== 0) throw failed('kubeadm join', machine, joined);
  }
  return join;
}

/** Masters or workers, in order. */
export function ofRole(lab: RunningLab, role: LabMachine['role']): readonly LabMachine[] {
  return lab.spec.machines.filter((machine) => machine.role === role);
}

/** Writes the pod network's configuration on every node. */
export async function installCni(lab: RunningLab, opts: ByHandOptions): Promise<void> {
  await Promise.all(
    lab.cx.topology.machines
      .filter(({ machine }) => machine.role !== 'client')
      .map(async (space) => {
        const argv = ['sh', '-c', `mkdir -p ${cniFile.replace(/\/[^/]*$/, '')} && cat > ${cniFile}`];
        const { signal } = opts;
        const result = await lab.exec(space.machine.name, argv, { stdin: bridgeConflist(space), signal });
        if (result.exitCode !== 0) throw failed('Writing the CNI configuration', space.machine, result);
      }),
  );
}

/** `kubeadm init` on one master. Its failure is an outcome, not an error. */
export async function kubeadmInit(lab: RunningLab, leader: LabMachine, opts: ByHandOptions): Promise<InitOutcome> {
  const documents = initDocuments(lab.spec, leader);
  const write = ['sh', '-c', 'umask 077; cat > /root/kubeadm.yaml'];
  const written = await lab.exec(leader.name, write, { stdin: documents, signal: opts.signal });
  if (written.exitCode !== 0) throw failed('Writing the kubeadm configuration', leader, written);
  const argv = ['kubeadm', 'init', '--config', '/root/kubeadm.yaml', '--upload-certs', ignore];
  const result = await narrated(lab, leader, argv, initTimeout, opts);
  return { result, join: result.exitCode === 0 ? parseJoin(result.stdout) : undefined };
}

/** `kubeadm join` with exactly what `init` printed. Its failure is an outcome, not an error. */
export async function kubeadmJoin(
  lab: RunningLab,
  machine: LabMachine,
  join: JoinSecrets,
  opts: ByHandOptions,
): Promise<RunResult> {
  const asMaster = ['--control-plane', '--certificate-key', join.certificateKey];
  const argv = [
    'kubeadm',
    'join',
    join.endpoint,
    '--token',
    join.token,
    '--discovery-token-ca-cert-hash',
    join.caHash,
    ...(machine.role === 'control-plane' ? asMaster : []),
    ignore,
  ];
  return await narrated(lab, machine, argv, joinTimeout, opts);
}

/** Reads the join commands out of what `kubeadm init --upload-certs` prints. Pure. */
export function parseJoin(stdout: string): JoinSecrets | undefined {
  const endpoint = /kubeadm join (\S+)/.exec(stdout)?.[1];
  const token = /--token (\S+)/.exec(stdout)?.[1];
  const caHash = /--discovery-token-ca-cert-hash (\S+)/.exec(stdout)?.[1];
  const certificateKey = /--certificate-key (\S+)/.exec(stdout)?.[1];
  if (endpoint === undefined || token === undefined || caHash === undefined || certificateKey === undefined) {
    return undefined;
  }
  return { endpoint, token, caHash, certificateKey };
}

const ignore = `--ignore-preflight-errors=${ignoredPreflight.join(',')}`;

/** Runs kubeadm on a node and tells what it is at. */
async function narrated(
  lab: RunningLab,
  machine: LabMachine,
  argv: readonly string[],
  timeout: number,
  opts: ByHandOptions,
): Promise<RunResult> {
  const title = `${machine.name} ${argv.slice(0, 2).join(' ')}`;
  return await task(
    opts.emit,
    `${machine.name}/kubeadm`,
    title,
    (progress) =>
      lab.exec(machine.name, argv, {
        signal: opts.signal,
        timeout,
        // The lines name what kubeadm does in brackets; those with secrets have none.
        onLine: (stream, line) => {
          if (stream === 'stdout' && /^\[[a-z-]+\]/.test(line) && !/token|certificate key/i.test(line)) progress(line);
        },
      }),
    (result) => (result.exitCode === 0 ? 'says that it succeeded' : `ended with ${result.exitCode}`),
  );
}

function failed(what: string, machine: LabMachine, result: RunResult): OperatorError {
  return new OperatorError('LAB_COMMAND_FAILED', `${what} failed on ${machine.name}`, {
    cause: (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-6).join('\n'),
  });
}
