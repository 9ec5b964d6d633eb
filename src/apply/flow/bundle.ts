import { isAbsolute, join } from 'node:path';
import type { BundleManifest } from '../../bundle/manifest.ts';
import { readBundleManifest, verifyBundle } from '../../bundle/read.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Emit, task } from '../../report/event.ts';
import type { Spec } from '../../spec/spec.ts';

interface Where {
  readonly spec: Spec;
  readonly directory: string;
}

/** What is in the bundle that the spec names; `undefined` where nodes are prepared without one. */
export async function bundleOf(session: Where): Promise<BundleManifest | undefined> {
  const path = pathOf(session);
  return path === undefined ? undefined : await readBundleManifest(path);
}

/** Reads all of it where a step is going to send it: a damaged bundle is found before anything is changed. */
export async function verifyPlannedBundle(session: Where, plan: Plan, emit: Emit): Promise<void> {
  const path = pathOf(session);
  if (path === undefined || !plan.steps.some(({ kind }) => kind === 'install-bundle')) return;
  await task(emit, 'bundle', `verify ${path}`, () => verifyBundle(path));
}

function pathOf({ spec, directory }: Where): string | undefined {
  if (spec.prepare.kind !== 'bundle') return undefined;
  return isAbsolute(spec.prepare.path) ? spec.prepare.path : join(directory, spec.prepare.path);
}
