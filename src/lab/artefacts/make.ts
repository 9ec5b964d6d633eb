import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { runTool } from '../cache/process.ts';
import { requireSpace } from '../cache/space.ts';
import { timedTask } from '../cache/timed-task.ts';
import { type Binary, binaries, type ComponentName, containerdVersion, pauseVersion } from './components.ts';
import { type ImageRefs, parseImageRefs } from './image-refs.ts';
import { makeBinary, secondsFor } from './make-binary.ts';
import { makeImages } from './make-images.ts';
import type { Manifest } from './manifest.ts';
import { availableVersion } from './sources.ts';
import { openWork, type Work, type WorkOptions } from './work.ts';

/** Binaries and images of one version, and the parts that exist while they are made: 1.6 GB measured for v1.37.2. */
const needBytes = 2_000_000_000;

/** Makes what is missing below `dir`; the caller holds the lock. */
export async function makeArtefacts(opts: WorkOptions): Promise<Manifest> {
  const part = join(opts.dir, '.part');
  await rm(part, { recursive: true, force: true });
  const work = await openWork(opts);
  const missing = binaries.filter(({ name }) => !work.files.has(`bin/${name}`));
  if (missing.length > 0) await requireSpace(opts.dir, needBytes, `Kubernetes ${opts.version}`);
  for (const dir of ['bin', 'images', '.part']) await mkdir(join(opts.dir, dir), { recursive: true });
  const seconds = (list: readonly Binary[]) =>
    list.reduce((sum, binary) => sum + secondsFor({ binary, version: opts.version }), 0);
  try {
    return await timedTask(
      opts.emit,
      { task: 'artefacts', title: `Kubernetes ${opts.version}`, estimate: (seconds(missing) + 10) * 1000 },
      async (progress) => {
        const get = async (binary: Binary, version: string) => {
          const before = binaries.slice(0, binaries.indexOf(binary));
          progress(binary.name, seconds(before), seconds(binaries));
          await makeBinary({ binary, version }, work);
        };
        for (const binary of binaries) if (binary.component === 'kubernetes') await get(binary, opts.version);
        const { refs, of } = await chooseVersions(work);
        for (const binary of binaries) if (binary.component !== 'kubernetes') await get(binary, of[binary.component]);
        progress('images', seconds(binaries), seconds(binaries));
        return await work.finish(await makeImages(refs.all, work));
      },
      ({ files }) => `${Object.keys(files).length} files`,
    );
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

interface Versions {
  readonly refs: ImageRefs;
  readonly of: Readonly<Record<ComponentName, string>>;
}

/** kubeadm decides: etcd and CoreDNS are those of its image list, as near as there are sources for. */
async function chooseVersions(work: Work): Promise<Versions> {
  const kubeadm = join(work.dir, 'bin', 'kubeadm');
  const { stdout } = await runTool([kubeadm, 'config', 'images', 'list', '--kubernetes-version', work.version], {
    signal: work.signal,
    fails: { code: 'ARTEFACT_CORRUPT', message: `kubeadm ${work.version} does not run on this machine` },
  });
  const refs = parseImageRefs(stdout);
  if (refs === undefined)
    throw new OperatorError('ARTEFACT_CORRUPT', `kubeadm ${work.version} lists images that the lab cannot read`, {
      cause: stdout,
    });
  const [etcd, coredns] = await Promise.all([
    availableVersion('etcd', refs.etcdVersion, work.sources),
    availableVersion('coredns', refs.corednsVersion, work.sources),
  ]);
  tellOther(work, 'etcd', refs.etcdVersion, etcd);
  tellOther(work, 'CoreDNS', refs.corednsVersion, coredns);
  return { refs, of: { kubernetes: work.version, etcd, coredns, containerd: containerdVersion, pause: pauseVersion } };
}

function tellOther(work: Work, what: string, wanted: string, taken: string): void {
  if (wanted === taken) return;
  work.emit({
    kind: 'note',
    text: `${what} ${wanted} is in no source: ${taken} takes its place, under the name that kubeadm wants`,
  });
}
