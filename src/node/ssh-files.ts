import { glob, readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { join } from 'node:path';

/** What Debian's and Red Hat's ssh_config includes. Another file that is included may say anything. */
const usualInclude = '/etc/ssh/ssh_config.d/*.conf';

/**
 * The configuration that ssh reads (ssh_config(5)): the file of `-F` and no other, or the user's and the system's. Files
 * that are not there are left out. ssh asks the user database where home is, whatever HOME says.
 */
export async function sshConfigTexts(configFile: string | undefined): Promise<readonly string[]> {
  if (configFile === 'none') return [];
  const paths =
    configFile === undefined
      ? [join(userInfo().homedir, '.ssh/config'), '/etc/ssh/ssh_config', ...(await Array.fromAsync(glob(usualInclude)))]
      : [configFile];
  const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.filter((text) => text !== '');
}

/** Could ssh answer differently for another host? Where that is not plain to see, yes. */
export function dependsOnHost(text: string): boolean {
  return text.split('\n').some((line) => {
    const [, key = '', value = ''] = /^\s*([A-Za-z]+)(?:\s*=\s*|\s+)(.*?)\s*$/.exec(line) ?? [];
    switch (key.toLowerCase()) {
      case 'host':
        return value !== '*';
      case 'include':
        return value !== usualInclude;
      case 'match':
      case 'hostname':
        return true;
      default:
        return /^canonical/i.test(key);
    }
  });
}
