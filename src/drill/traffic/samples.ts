import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord } from '../history/record.ts';
import { createAsker } from './asker.ts';
import type { TrafficConfig } from './config.ts';
import { pause } from './pause.ts';
import type { Target } from './target.ts';

/**
 * Which nodes are Ready and who holds which lease. Reads of single objects come from etcd and not from an apiserver's
 * cache, so two apiservers cannot contradict each other. What nobody answers is not a sample.
 */
export async function keepSampling(
  config: TrafficConfig,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const { samples } = config;
  if (samples === undefined) return;
  const asker = createAsker(config.host, target, samples.patienceMs);
  const last = new Map<string, string>();
  /** Only what changed is worth a record, and what was seen first. */
  const told = (key: string, value: string, record: DrillRecord) => {
    if (last.get(key) === value) return;
    last.set(key, value);
    say(record);
  };
  while (!signal.aborted) {
    const begun = monotonicMs();
    for (const [node, path] of Object.entries(samples.nodes)) {
      if (signal.aborted) break;
      const seen = bodyOf<NodeStatus>(await asker.ask('GET', path));
      const status = seen?.status?.conditions?.find(({ type }) => type === 'Ready')?.status;
      if (status === undefined) continue;
      const ready = status === 'True';
      told(`node ${node}`, status, { is: 'node-ready', at: monotonicMs(), node, ready });
    }
    for (const [of, path] of Object.entries(samples.leases)) {
      if (signal.aborted) break;
      const holder = bodyOf<Lease>(await asker.ask('GET', path))?.spec?.holderIdentity;
      if (holder === undefined || holder === '') continue;
      told(`lease ${of}`, holder, { is: 'leader', at: monotonicMs(), of, holder });
    }
    await pause(begun + samples.everyMs - monotonicMs(), signal);
  }
  asker.close();
}

interface NodeStatus {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

interface Lease {
  readonly spec?: { readonly holderIdentity?: string };
}

function bodyOf<Body>(reply: { readonly status: number; readonly body: string } | undefined): Body | undefined {
  return reply?.status === 200 ? (JSON.parse(reply.body) as Body) : undefined;
}
