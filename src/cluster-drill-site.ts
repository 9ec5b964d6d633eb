import { join } from 'node:path';
import { type ClusterSession, openSession, type SessionOptions } from './apply/flow/session.ts';
import type { DrillSite } from './drill/site/site.ts';
import { sshSite } from './drill/site/ssh-site.ts';

export interface ClusterDrillOptions extends SessionOptions {
  readonly signal: AbortSignal;
  /** Ask the nodes nothing yet: for healing a cluster that may not answer. */
  readonly quick?: boolean;
}

/** The cluster of a cluster.yaml as a site of drills: by ssh, and from the machine that this runs on. */
export async function clusterDrillSite(opts: ClusterDrillOptions): Promise<DrillSite> {
  const session = await openSession(opts);
  const { spec, nodes, program } = session;
  const site = await sshSite({
    name: `cluster ${spec.name}`,
    spec,
    nodes,
    program,
    directory: drillDirectory(session),
    signal: opts.signal,
    quick: opts.quick === true,
    emit: (text) => opts.emit({ kind: 'warning', text }),
  });
  return {
    ...site,
    async [Symbol.asyncDispose]() {
      await site[Symbol.asyncDispose]();
      await session[Symbol.asyncDispose]();
    },
  };
}

/** Beside the journals of the cluster. */
function drillDirectory({ directory, spec }: Pick<ClusterSession, 'directory' | 'spec'>): string {
  return join(directory, '.hairpin', spec.name);
}
