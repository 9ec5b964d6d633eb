import { createHash } from 'node:crypto';
import { manifestOfBytes } from '../../bundle/read.ts';
import { type Handler, mustEndWell, type StepContext } from '../handler.ts';
import { nodePaths } from '../on-node.ts';
import {
  imagesScript,
  imagesThereScript,
  installScript,
  receiveScript,
  uninstallScript,
  unpackScript,
} from './bundle-scripts.ts';

// Progress is told, and a cut connection costs, at most this much.
const sliceBytes = 16 << 20;

const sums = new WeakMap<Uint8Array, string>();

/** Of a bundle that several nodes get at once: hashed once. */
function sha256Of(bundle: Uint8Array): string {
  const sum = sums.get(bundle) ?? createHash('sha256').update(bundle).digest('hex');
  sums.set(bundle, sum);
  return sum;
}

/**
 * Sends the bundle once and unpacks it beside hairpin's other state on the node, under the hash of its content: a killed
 * transfer goes on where it stopped, and one that is finished is not repeated.
 */
async function unpackOnNode(path: string, cx: StepContext): Promise<string> {
  const bundle = await cx.readLocal(path);
  const sum = sha256Of(bundle);
  const dir = `${nodePaths.state}/bundles/${sum.slice(0, 16)}`;
  const look = `if [ -d "$1" ]; then echo there; else stat -c %s -- "$1.part" 2>/dev/null || echo 0; fi`;
  const seen = (await cx.node.probe(['sh', '-c', look, 'hairpin-bundle', dir])).stdout.trim();
  if (seen === 'there') return dir;
  await cx.remember();
  const megabytes = (bytes: number) => Math.round(bytes / 1e6);
  const start = Number(seen) > bundle.length ? 0 : Number(seen) || 0;
  for (let offset = start; offset < bundle.length; offset += sliceBytes) {
    cx.waiting.throwIfAborted();
    cx.progress(`sending, MB`, megabytes(offset), megabytes(bundle.length));
    const argv = ['sh', '-c', receiveScript, 'hairpin-receive', `${dir}.part`, String(offset)];
    const slice = bundle.subarray(offset, offset + sliceBytes);
    mustEndWell(await cx.node.change(argv, { stdin: slice, timeout: 10 * 60_000 }), `Sending ${path}`);
  }
  cx.progress('unpacking');
  await cx.mustChange(['sh', '-c', unpackScript, 'hairpin-unpack', dir, sum], `Unpacking ${path}`, {
    timeout: 30 * 60_000,
  });
  return dir;
}

export const installBundle: Handler<'install-bundle'> = async (step, cx) => {
  const { suite } = await manifestOfBytes(await cx.readLocal(step.path), step.path);
  const dir = await unpackOnNode(step.path, cx);
  const argv = ['sh', '-c', installScript, 'hairpin-install', dir, nodePaths.state, suite, uninstallScript];
  let installed = 0;
  await cx.mustChange(argv, `Installing ${step.path}`, {
    timeout: 10 * 60_000,
    onLine: (stream, line) => {
      if (stream === 'stderr') return;
      installed += 1;
      cx.progress(line, installed);
    },
  });
  return installed === 0 ? 'all was there already' : `${installed} files and packages`;
};

export const importImages: Handler<'import-images'> = async (step, cx) => {
  const { images } = await manifestOfBytes(await cx.readLocal(step.path), step.path);
  const there = (await cx.node.probe(['sh', '-c', imagesThereScript])).stdout.split('\n');
  if (images.every(({ ref }) => there.includes(ref))) return 'all were there already';
  const dir = await unpackOnNode(step.path, cx);
  let count = 0;
  await cx.mustChange(['sh', '-c', imagesScript, 'hairpin-images', dir], `Importing images of ${step.path}`, {
    timeout: 30 * 60_000,
    onLine: (stream, line) => {
      if (stream === 'stderr') return;
      count += 1;
      cx.progress(line, count, images.length);
    },
  });
  return `${count} images`;
};
