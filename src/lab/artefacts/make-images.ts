import { createHash } from 'node:crypto';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { timedTask } from '../cache/timed-task.ts';
import type { BinaryName } from './components.ts';
import { imageName } from './image-refs.ts';
import { binariesOf, imageSpec } from './image-specs.ts';
import { writeImageTar } from './image-tar.ts';
import { describeFile, imagesRevision } from './manifest.ts';
import type { Work } from './work.ts';

/** Makes a tar for each image that kubeadm names, from the binaries that are there. */
export async function makeImages(refs: readonly string[], work: Work): Promise<{ ref: string; file: string }[]> {
  const toolsId = await work.tools.id();
  const images = refs.map((ref) => ({ ref, file: `images/${imageName(ref)}.tar`, key: imageKey(ref, toolsId, work) }));
  const missing = images.filter(({ file, key }) => work.files.get(file)?.key !== key);
  if (missing.length > 0)
    await timedTask(
      work.emit,
      { task: 'artefacts/images', title: 'container images', estimate: 600 * missing.length },
      async (progress) => {
        for (const [index, image] of missing.entries()) {
          progress(image.ref, index, missing.length);
          await makeImage(image, work);
        }
      },
      () => `${missing.length} made`,
    );
  return images.map(({ ref, file }) => ({ ref, file }));
}

async function makeImage(image: { ref: string; file: string; key: string }, work: Work): Promise<void> {
  const start = performance.now();
  const tools = imageName(image.ref) === 'kube-proxy' ? await work.tools.entries() : [];
  const spec = imageSpec(image.ref, work.arch, (name) => join(work.dir, 'bin', name), tools);
  if (spec === undefined) throw unknownImage(image.ref);
  const part = join(work.dir, '.part', `${imageName(image.ref)}.tar`);
  await writeImageTar(spec, part, work.signal);
  await rename(part, join(work.dir, image.file));
  const made = { key: image.key, source: 'made from the binaries', ms: performance.now() - start };
  await work.record(image.file, await describeFile(work.dir, image.file, made));
}

/** Changes with everything that goes into the image. */
function imageKey(ref: string, toolsId: string, work: Work): string {
  const names = binariesOf(ref);
  if (names === undefined) throw unknownImage(ref);
  const sums = names.map((name: BinaryName) => `${name} ${work.files.get(`bin/${name}`)?.sha256}`);
  const inputs = [String(imagesRevision), ref, ...sums, ...(names.includes('kube-proxy') ? [toolsId] : [])];
  return createHash('sha256').update(inputs.join('\n')).digest('hex');
}

function unknownImage(ref: string): OperatorError {
  return new OperatorError('ARTEFACT_BUILD_FAILED', `kubeadm wants ${ref}, and the lab does not know how to make it`, {
    hint: 'this Kubernetes version needs support in src/lab/artefacts/image-specs.ts',
  });
}
