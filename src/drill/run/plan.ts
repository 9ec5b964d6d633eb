import { OperatorError } from '../../errors/operator-error.ts';
import { closest } from '../../std/closest.ts';
import type { DrillFault } from '../faults/fault.ts';
import { scenarios } from '../scenario/list.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { DrillSite } from '../site/site.ts';

/** What is going to be broken, decided before anything is. */
export interface DrillPlan {
  readonly scenario: Scenario;
  readonly acts: readonly DrillAct[];
  readonly forMs: number;
}

export interface DrillAct {
  readonly fault: DrillFault;
  readonly target: string;
  /** After the first one. */
  readonly afterMs: number;
}

export function scenarioNamed(name: string): Scenario {
  const found = scenarios.find((scenario) => scenario.name === name);
  if (found !== undefined) return found;
  const near = closest(
    name,
    scenarios.map((scenario) => scenario.name),
  );
  throw new OperatorError('DRILL_UNKNOWN', `There is no drill \`${name}\``, {
    hint: near === undefined ? 'see `hairpin drill list`' : `did you mean \`${near}\`?`,
  });
}

/** Pure. Refuses what the site cannot do, and what would cost etcd its quorum unless that is accepted. */
export function planDrill(
  site: Pick<DrillSite, 'name' | 'masters' | 'workers' | 'faults'>,
  scenario: Scenario,
  opts: {
    readonly node?: string | undefined;
    readonly forMs?: number | undefined;
    readonly acceptQuorumLoss?: boolean;
  },
): DrillPlan {
  const acts = scenario.faults.map((name, i): DrillAct => {
    const fault = site.faults.find((candidate) => candidate.name === name);
    if (fault === undefined) {
      throw new OperatorError(
        'DRILL_UNAVAILABLE',
        `\`${scenario.name}\` cannot be done here: ${site.name} has no \`${name}\``,
        {
          hint: 'see `hairpin drill list`',
        },
      );
    }
    const wanted = i === 0 ? scenario.target : (scenario.others?.[i - 1] ?? scenario.target);
    const node = wanted === scenario.target ? opts.node : undefined;
    return {
      fault,
      target: targetOf(site, scenario.name, wanted, fault, node),
      afterMs: i * (scenario.secondAfterMs ?? 0),
    };
  });
  const away = membersAway(site.masters, acts);
  const quorum = Math.floor(site.masters.length / 2) + 1;
  if (site.masters.length - away < quorum && opts.acceptQuorumLoss !== true) {
    throw new OperatorError(
      'DRILL_QUORUM',
      `\`${scenario.name}\` would leave ${site.masters.length - away} of ${site.masters.length} members of etcd; ${quorum} are needed`,
      { hint: 'nothing was broken; if that is what you want to see, add --accept-unsafe quorum-loss' },
    );
  }
  return { scenario, acts, forMs: opts.forMs ?? scenario.forMs };
}

function targetOf(
  site: Pick<DrillSite, 'name' | 'masters' | 'workers'>,
  scenario: string,
  where: Scenario['target'],
  fault: DrillFault,
  node: string | undefined,
): string {
  if (fault.aimedAt === 'balancer' || fault.aimedAt === 'cluster') return fault.aimedAt;
  const all = targetsOf(site, fault);
  if (node !== undefined) {
    if (all.includes(node)) return node;
    throw new OperatorError('USAGE', `\`${fault.name}\` cannot be done to ${node}`, {
      hint: `to one of ${all.join(', ')}`,
    });
  }
  const wanted = where === 'worker' ? site.workers[0] : where === 'last-master' ? site.masters.at(-1) : site.masters[0];
  if (wanted !== undefined) return wanted;
  throw new OperatorError('DRILL_UNAVAILABLE', `${site.name} has no node for \`${scenario}\``);
}

function targetsOf(site: Pick<DrillSite, 'masters' | 'workers'>, { aimedAt }: DrillFault): readonly string[] {
  if (aimedAt === 'master') return site.masters;
  return aimedAt === 'worker' ? site.workers : [...site.masters, ...site.workers];
}

/** Two faults of one master take one member; which one a fault of the cluster takes is not known before. */
function membersAway(masters: readonly string[], acts: readonly DrillAct[]): number {
  const away = new Set<string>();
  for (const { fault, target } of acts) {
    if (fault.takesMembers === 'all') return masters.length;
    if (fault.takesMembers === 'one' && (masters.includes(target) || target === 'cluster')) away.add(target);
  }
  return away.size;
}
