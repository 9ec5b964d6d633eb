import type { ClusterFacts } from '../../facts/types.ts';
import type { Plan } from '../../plan/plan.ts';
import { type Arch, archOfMachine } from '../../program/manifest.ts';
import { type Emit, task } from '../../report/event.ts';
import type { ClusterSession } from './session.ts';

/** Builds and packs what steps are going to send, once for each kind of machine, before anything is changed. */
export async function packPlannedProgram(
  session: ClusterSession,
  plan: Plan,
  facts: ClusterFacts,
  opts: { readonly emit: Emit; readonly signal: AbortSignal },
): Promise<void> {
  const nodes = new Set(plan.steps.filter(({ kind }) => kind === 'install-program').map(({ node }) => node));
  const archs = new Set(
    facts.nodes.flatMap((report): Arch[] => {
      if (report.is !== 'seen' || !nodes.has(report.node) || report.facts.os.is !== 'known') return [];
      const arch = archOfMachine[report.facts.os.value.machine];
      return arch === undefined ? [] : [arch];
    }),
  );
  for (const arch of archs) {
    await task(
      opts.emit,
      `program-${arch}`,
      `hairpin for ${arch}`,
      () => session.program.archive(arch, opts),
      (archive) => `${Math.round(archive.bytes.length / 1e6)} MB`,
    );
  }
}
