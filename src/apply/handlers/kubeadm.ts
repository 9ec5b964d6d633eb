import { createHash, X509Certificate } from 'node:crypto';
import { OperatorError } from '../../errors/operator-error.ts';
import type { RunResult } from '../../node/port.ts';
import type { Handler, StepContext } from '../handler.ts';
import { nodePaths } from '../on-node.ts';
import { initPhases, joinPhases, kubeadmProgress } from './kubeadm-progress.ts';
import { keepUnitState } from './unit.ts';

const caPath = '/etc/kubernetes/pki/ca.crt';

// kubeadm enables and starts the kubelet by itself, so how that unit was is kept here.
const kubeadmScript = `${keepUnitState}
keep_unit kubelet.service "$1"; shift
exec "$@"
`;

// Nothing of the file is secret, so it may come in argv; it is there as long as kubeadm runs.
const withDiscoveryScript = `${keepUnitState}
keep_unit kubelet.service "$1"
discovery=$2 content=$3; shift 3
trap 'rm -f -- "$discovery"' EXIT
trap 'exit 143' HUP INT TERM
printf '%s' "$content" >"$discovery" || exit 75
"$@"
`;

function kubeadm(argv: readonly string[]): readonly string[] {
  return ['sh', '-c', kubeadmScript, 'hairpin-kubeadm', nodePaths.units, ...argv];
}

// Longer than any of kubeadm's own timeouts (4 min a phase), so that its own message is what the operator reads.
const kubeadmTimeout = 20 * 60_000;

export const kubeadmInit: Handler<'kubeadm-init'> = async (step, cx) => {
  const file = { path: step.configPath, content: cx.secrets.resolve(step.config) };
  const result = await cx.changeWithSecretFile(file, kubeadm(step.argv), {
    timeout: kubeadmTimeout,
    onLine: kubeadmProgress(initPhases, cx.progress),
  });
  if (result.exitCode !== 0) throw kubeadmFailed('kubeadm init', result);
  await learnCa(cx, step.node);
  return undefined;
};

/** kubeadm's own CA, made before init, from the configuration of init. */
export const kubeadmCa: Handler<'kubeadm-ca'> = async (step, cx) => {
  const file = { path: step.configPath, content: cx.secrets.resolve(step.config) };
  const result = await cx.changeWithSecretFile(file, step.argv, { timeout: 120_000 });
  if (result.exitCode !== 0) throw kubeadmFailed('kubeadm init phase certs ca', result);
  await learnCa(cx, step.node);
  return undefined;
};

/** The certificate alone: nothing of it is secret. */
export const deliverCa: Handler<'deliver-ca'> = async (step, cx) => {
  const content = await cx.other(step.from).readFile(caPath);
  if (content === undefined) {
    throw new OperatorError('STEP_FAILED', `${caPath} is not on ${step.from}, and ${step.node} needs it`);
  }
  await cx.remember();
  const { changed } = await cx.node.writeFile({ path: step.path, content, mode: 0o644 });
  return changed ? undefined : 'was so already';
};

export const kubeadmJoin: Handler<'kubeadm-join'> = async (step, cx) => {
  const file = { path: step.configPath, content: cx.secrets.resolve(step.config) };
  const { discovery } = step;
  const argv =
    discovery === undefined
      ? kubeadm(step.argv)
      : [
          'sh',
          '-c',
          withDiscoveryScript,
          'hairpin-kubeadm',
          nodePaths.units,
          discovery.path,
          cx.secrets.resolve(discovery.content),
          ...step.argv,
        ];
  const result = await cx.changeWithSecretFile(file, argv, {
    timeout: kubeadmTimeout,
    onLine: kubeadmProgress(joinPhases(step.role), cx.progress),
  });
  if (result.exitCode !== 0) throw kubeadmFailed('kubeadm join', result);
  return undefined;
};

/** The commands print the token and the key, so nothing of their output is shown. */
export const joinCredentials: Handler<'join-credentials'> = async (step, cx) => {
  const file = { path: step.configPath, content: cx.secrets.resolve(step.config) };
  for (const [index, argv] of step.commands.entries()) {
    cx.progress(argv.slice(0, 4).join(' '), index, step.commands.length);
    const result = await cx.changeWithSecretFile(file, argv, { timeout: 180_000 });
    if (result.exitCode !== 0) throw kubeadmFailed(argv.slice(0, 4).join(' '), result);
  }
  await learnCa(cx, step.node);
  return undefined;
};

export const kubeadmReset: Handler<'kubeadm-reset'> = async (step, cx) => {
  await cx.mustChange(step.argv, 'kubeadm reset', {
    timeout: 300_000,
    onLine: kubeadmProgress(['preflight', 'reset'], cx.progress),
  });
  return step.lost;
};

/** What joining nodes pin: sha256 of the CA's public key, as `kubeadm join --discovery-token-ca-cert-hash` has it. */
export function caCertHash(pem: string): string {
  const key = new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' });
  return `sha256:${createHash('sha256').update(key).digest('hex')}`;
}

async function learnCa(cx: StepContext, master: string): Promise<void> {
  const pem = await cx.node.readFile(caPath);
  if (pem === undefined) {
    throw new OperatorError('STEP_FAILED', `${caPath} is not on ${master}, so no other node can trust the cluster`);
  }
  cx.secrets.set('ca-cert', Buffer.from(pem).toString('base64'));
  cx.secrets.set('ca-cert-hash', caCertHash(pem));
}

/** What kubeadm said is wrong, without its advice and stack trace. */
function kubeadmFailed(what: string, result: RunResult): OperatorError {
  const lines = `${result.stdout}\n${result.stderr}`.split('\n').map((line) => line.trimEnd());
  const telling = lines.filter(
    (line) =>
      /^\s*\[ERROR|^error execution phase|^error:|^error |^couldn't|unable to|timed out|^failed/i.test(line) &&
      !/--v=5/.test(line),
  );
  const shown = (telling.length > 0 ? telling : lines.filter((line) => line.trim() !== '')).slice(-8);
  return new OperatorError('KUBEADM_FAILED', `${what} failed with exit code ${result.exitCode}`, {
    cause: [...new Set(shown)].join('\n'),
    hint: 'put right what kubeadm names; what it left half-made is found and cleaned by the next run',
  });
}
