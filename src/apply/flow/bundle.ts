import type { BundleManifest } from '../../bundle/manifest.ts';
import { readBundleManifest, verifyBundle } from '../../bundle/read.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Emit, task } from '../../report/event.ts';
import type { Spec } from '../../spec/spec.ts';

/** What is in the bundle that the spec names; `undefined` where nodes are prepared without one. */
export async function bundleOf(session: { readonly spec: Spec }): Promise<BundleManifest | undefined> {
  const path = pathOf(session);
  return path === undefined ? undefined : await readBundleManifest(path);
}

/** Reads all of it where a step is going to send it: a damaged bundle is found before anything is changed. */
export async function verifyPlannedBundle(session: { readonly spec: Spec }, plan: Plan, emit: Emit): Promise<void> {
  const path = pathOf(session);
  if (path === undefined || !plan.steps.some(({ kind }) => kind === 'install-bundle')) return;
  await task(emit, 'bundle', `verify ${path}`, () => verifyBundle(path));
}

function pathOf({ spec }: { readonly spec: Spec }): string | undefined {
  return spec.prepare.kind === 'bundle' ? spec.prepare.path : undefined;
}
