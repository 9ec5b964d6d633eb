import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { warmArtefacts } from '../../artefacts/artefacts.ts';
import { goIsOlder, goToolchain } from '../../artefacts/go-toolchain.ts';
import { hostArch } from '../../artefacts/host-arch.ts';
import { releaseSites } from '../../artefacts/release-assets.ts';
import { siteAnswers } from '../../artefacts/source-release.ts';
import { freeBytes } from '../../cache/space.ts';
import type { HostCheck } from '../check.ts';
import { enough } from './room.ts';

/** What Kubernetes v1.37 needs; later ones say for themselves when they are compiled. */
const leastGo = '1.26.0';

export const artefactsCheck: HostCheck = {
  name: 'artefacts/source',
  title: 'the Kubernetes binaries are here, or there is a place to get them from',
  tiers: ['node'],
  async ask({ cacheDir, kubernetes, signal }) {
    const there = await warmArtefacts(join(cacheDir, 'artefacts', `${kubernetes}-${hostArch()}`));
    if (there !== undefined) return { is: 'ok', saw: `${kubernetes} is in ${there.dir}` };
    const sites = releaseSites();
    const [go, site] = await Promise.all([goToolchain(signal), siteAnswers(sites, signal)]);
    const found = [
      ...(site ? [`${sites.kubernetes} answers`] : []),
      ...(go === undefined ? [] : go.local && goIsOlder(go.version, leastGo) ? [] : [`${go.version} can compile them`]),
    ];
    if (found.length > 0) return { is: 'ok', saw: `${kubernetes} is not made yet; ${found.join(', ')}` };
    return {
      is: 'absent',
      saw: `${sites.kubernetes} does not answer; ${go === undefined ? 'no Go' : `${go.version} is too old`}`,
      remedy: `install Go ${leastGo} or newer, or give the binaries with \`hairpin lab artefacts --from DIR\``,
    };
  },
};

export const cacheSpaceCheck: HostCheck = {
  name: 'room/cache',
  title: 'the cache directory has room for what is not in it yet',
  tiers: ['node'],
  async ask({ cacheDir, kubernetes }) {
    const there = await warmArtefacts(join(cacheDir, 'artefacts', `${kubernetes}-${hostArch()}`));
    // 1.6 GB of artefacts and 0.4 GB of base image.
    return enough(
      await freeBytes(cacheDir),
      there === undefined ? 2_500_000_000 : 100_000_000,
      `in ${cacheDir}`,
      'HAIRPIN_CACHE',
    );
  },
};

export const systemCheck: HostCheck = {
  name: 'host/system',
  title: 'the system is one that the base image can be made from',
  tiers: ['node'],
  async ask() {
    const release = await readFile('/etc/os-release', 'utf8').catch(() => '');
    const field = (name: string) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'm').exec(release)?.[1];
    const name = field('PRETTY_NAME') ?? 'an unknown system';
    if (field('VERSION_CODENAME') !== undefined && /debian|ubuntu/.test(`${field('ID')} ${field('ID_LIKE')}`))
      return { is: 'ok', saw: name };
    return { is: 'absent', saw: name, remedy: 'use Debian or Ubuntu, or --tier wire' };
  },
};
