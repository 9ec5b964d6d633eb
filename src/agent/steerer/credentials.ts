import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

export type Credentials = { readonly cert: string; readonly key: string } | { readonly none: string };

/**
 * The client certificate of a kubeconfig, read anew at each call: the kubelet replaces the files it names. `none` says why
 * there is none, which is no failure: before the first join there is no kubeconfig.
 */
export async function readCredentials(kubeconfig: string | undefined): Promise<Credentials> {
  if (kubeconfig === undefined) return { none: 'no kubeconfig is configured' };
  const text = await readFile(kubeconfig, 'utf8').catch((error: NodeJS.ErrnoException) => {
    return error.code === 'ENOENT' ? undefined : Promise.reject(error);
  });
  if (text === undefined) return { none: `${kubeconfig} is not there` };
  const [cert, key] = await Promise.all(
    ['client-certificate', 'client-key'].map((name) => pemOf(text, name, dirname(kubeconfig))),
  );
  if (cert === undefined || key === undefined) return { none: `${kubeconfig} has no client certificate` };
  return { cert, key };
}

/**
 * A kubeconfig of one user, as kubeadm and the kubelet write it, is searched for the key: a YAML library would be 3 MB of
 * the steerer's memory. With several users there is no telling whose value is meant, so it counts as absent.
 */
async function pemOf(text: string, name: string, dir: string): Promise<string | undefined> {
  const data = valuesOf(text, `${name}-data`);
  if (data.length === 1) return Buffer.from(data[0] ?? '', 'base64').toString();
  const paths = valuesOf(text, name);
  return paths.length === 1 ? await readFile(resolve(dir, paths[0] ?? ''), 'utf8') : undefined;
}

function valuesOf(text: string, key: string): readonly string[] {
  const found = text.matchAll(new RegExp(`^[\\s-]*"?${key}"?:\\s*(?:"([^"]*)"|'([^']*)'|(\\S+?)),?\\s*$`, 'gm'));
  return [...found].map(([, double, single, bare]) => double ?? single ?? bare ?? '');
}
