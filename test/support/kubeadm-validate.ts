import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { ensureArtefacts } from '../../src/lab/artefacts/artefacts.ts';
import type { SecretText } from '../../src/plan/step.ts';
import { discoveryPath } from '../../src/render/kubeadm/commands.ts';
import { silent } from '../../src/report/event.ts';

/** Made up, and of the right form: kubeadm checks it. */
const values = {
  'join-token': 'abcdef.0123456789abcdef',
  'certificate-key': '0'.repeat(64),
  'ca-cert': 'LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tCg==',
  'ca-cert-hash': `sha256:${'a'.repeat(64)}`,
} as const;

export function withSecrets(text: SecretText): string {
  return text.map((part) => (typeof part === 'string' ? part : values[part.secret])).join('');
}

/** The real kubeadm of a version, from the artefact cache; made when it is not there, and a test that cannot get it fails. */
export async function kubeadmOf(version: string, signal: AbortSignal): Promise<string> {
  const { binaries } = await ensureArtefacts(version, { emit: silent, signal });
  return binaries.kubeadm;
}

/** What `kubeadm config validate` (or `migrate`) says about `text`: its exit code and everything it printed. */
export async function askKubeadm(
  kubeadm: string,
  verb: 'validate' | 'migrate',
  text: string,
  flags: readonly string[] = [],
): Promise<{ readonly exitCode: number; readonly output: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'hairpin-kubeadm-'));
  try {
    const file = join(directory, 'config.yaml');
    // kubeadm wants the file to be there that the configuration names.
    const discovery = join(directory, 'discovery.conf');
    await writeFile(discovery, '');
    await writeFile(file, text.replaceAll(discoveryPath, discovery));
    const args = verb === 'validate' ? ['--config', file] : ['--old-config', file];
    const result = await execa(kubeadm, ['config', verb, ...args, ...flags], { reject: false, all: true });
    return { exitCode: result.exitCode ?? -1, output: result.all };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
