import { unitPath } from '../render/systemd/unit.ts';
import { atLeast } from '../std/version.ts';
import type { Gone, Moment, Place, Wanted, WantedUnit } from '../strategy/strategy.ts';
import type { Draft } from './builder.ts';
import type { PlanContext } from './context.ts';
import { estimates } from './estimates.ts';
import { slugOf, slugs } from './ids.ts';
import { planProgram } from './program.ts';
import type { HoldCheck, PhaseName, StepId } from './step.ts';

const hostsPath = '/etc/hosts';

/**
 * Plans what the strategy wants on a node at a moment, as far as the node does not have it: files, then units, then the
 * hosts block, then what has to be waited for. Nothing is waited for where nothing changes.
 * `alsoNeeds` goes to the first step, if there is one.
 */
export function planWanted(
  cx: PlanContext,
  place: Place,
  moment: Moment,
  opts: { readonly phase: PhaseName; readonly alsoNeeds?: readonly StepId[] },
): void {
  const { steps } = cx;
  const node = place.node.name;
  const desk = cx.desk(node);
  const wanted = cx.strategy.wants(place, moment);
  const before = steps.lastOf(node)[0];
  let needs = opts.alsoNeeds ?? [];
  const add: typeof steps.add = (name, phase, draft) => {
    const slug = unique(cx, name, draft.slug);
    const alsoNeeds = [...(draft.alsoNeeds ?? []), ...needs];
    needs = [];
    // Of a large plan's 80,000 steps nearly all are as they were: no copy of those.
    const asIs = slug === draft.slug && alsoNeeds.length === 0;
    return steps.add(name, phase, asIs ? draft : { ...draft, slug, alsoNeeds });
  };

  for (const gone of wanted.gone) planGone(cx, node, gone, opts.phase, add);
  if (wanted.program) planProgram(cx, place, opts.phase, add);
  const changed = planFiles(cx, node, wanted, opts.phase, add);
  const addressMissing = wanted.holds.some((h) => h.is === 'address-present' && desk.hasAddress(h.address) === false);
  let reload = [...changed].some((path) => path.startsWith(unitPath('')));
  for (const unit of wanted.units) {
    const mustRestart = addressMissing && unit.kind === 'ours';
    // systemd reads all units at once, so the first one that is started reloads for the others as well.
    if (planUnit(cx, node, unit, { changed, mustRestart, reload, phase: opts.phase, add })) reload = false;
  }
  planHosts(cx, place, wanted, opts.phase, add);
  if (steps.lastOf(node)[0] === before) return;
  for (const check of wanted.holds) {
    add(node, opts.phase, {
      kind: 'hold',
      slug: slugOf('hold-', holdSlug(check)),
      check,
      deadlineMs: 15_000,
      because: 'what comes next relies on it',
      estimateMs: estimates.hold,
    });
  }
}

type Add = PlanContext['steps']['add'];

function planFiles(cx: PlanContext, node: string, wanted: Wanted, phase: PhaseName, add: Add): ReadonlySet<string> {
  const desk = cx.desk(node);
  const changed = new Set<string>();
  for (const file of wanted.files) {
    const { path, content, mode, because } = file;
    if (desk.hasFile(path, content, mode)) continue;
    add(node, phase, {
      kind: 'write-file',
      slug: slugOf('write', path),
      path,
      content,
      mode,
      owner: 'root:root',
      because,
      estimateMs: estimates.writeFile,
      undo: { is: 'restore-file', path },
    });
    desk.wrote(path, file);
    changed.add(path);
  }
  return changed;
}

export function reloadUnit(unit: string): Extract<Draft, { kind: 'unit' }> {
  return {
    kind: 'unit',
    slug: `reload-${unit}`,
    unit,
    actions: ['reload'],
    because: 'it reads its configuration again and goes on',
    estimateMs: estimates.unit,
  };
}

/** Tells whether the unit is started. */
function planUnit(
  cx: PlanContext,
  node: string,
  wanted: WantedUnit,
  opts: { changed: ReadonlySet<string>; mustRestart: boolean; reload: boolean; phase: PhaseName; add: Add },
): boolean {
  const { unit, restartOn, reloadOn = [], because, undo } = wanted;
  const desk = cx.desk(node);
  const isStale = restartOn.some((path) => opts.changed.has(path)) || (opts.mustRestart && !desk.isStarted(unit));
  if (desk.unit(unit) === 'running' && !isStale) {
    if (desk.isStarted(unit) || !reloadOn.some((path) => opts.changed.has(path))) return false;
    opts.add(node, opts.phase, reloadUnit(unit));
    return false;
  }
  opts.add(node, opts.phase, {
    kind: 'unit',
    slug: slugOf('unit-', unit),
    unit,
    actions: [...(opts.reload ? (['daemon-reload'] as const) : []), 'enable', 'restart'],
    because,
    estimateMs: estimates.unit,
    undo: undo === undefined ? { is: 'disable-unit', unit } : { is: 'run', ...undo },
  });
  desk.started(unit);
  return true;
}

function planHosts(cx: PlanContext, place: Place, wanted: Wanted, phase: PhaseName, add: Add): void {
  const node = place.node.name;
  const desk = cx.desk(node);
  if (desk.hasHosts(wanted.hosts)) return;
  add(node, phase, {
    kind: 'hosts-block',
    slug: 'hosts',
    path: hostsPath,
    lines: wanted.hosts,
    because:
      wanted.hosts.length === 0
        ? 'this strategy does not use /etc/hosts'
        : `on this node ${cx.spec.endpoint.host} means ${wanted.hosts.map((line) => line.split(' ')[0]).join(', ')}`,
    estimateMs: estimates.writeFile,
    undo: { is: 'remove-hosts-block', path: hostsPath },
  });
  desk.setHosts(wanted.hosts);
  const { staticPods, hostNetworkPods } = wanted.staleAfterHostsChange;
  const hasPods = cx.cluster.state(place.node) === 'member' || cx.steps.isPlanned(node, slugs.join);
  if (!hasPods || (staticPods.length === 0 && !hostNetworkPods)) return;
  add(node, phase, {
    kind: 'restart-pods',
    slug: 'restart-pods',
    staticPods,
    hostNetworkPods,
    because: 'they copied /etc/hosts when they started',
    estimateMs: estimates.restartPods,
  });
}

/** Only what is there is taken away. */
function planGone(cx: PlanContext, node: string, gone: Gone, phase: PhaseName, add: Add): void {
  const desk = cx.desk(node);
  if (desk.unit(gone.unit) !== 'absent') {
    if (gone.uninstall === undefined) {
      add(node, phase, {
        kind: 'unit',
        slug: `stop-${gone.unit}`,
        unit: gone.unit,
        actions: ['stop', 'disable'],
        because: gone.because,
        estimateMs: estimates.unit,
      });
    } else {
      add(node, phase, {
        kind: 'run',
        slug: `uninstall-${gone.unit}`,
        argv: gone.uninstall,
        stdin: undefined,
        timeoutMs: 30_000,
        okExitCodes: [0],
        because: gone.because,
      });
    }
    desk.stopped(gone.unit);
  }
  for (const path of gone.files) {
    if (!desk.exists(path)) continue;
    add(node, phase, {
      kind: 'remove-file',
      slug: `remove${path}`,
      path,
      because: gone.because,
      estimateMs: estimates.writeFile,
    });
    desk.removed(path);
  }
}

/** The same thing may be wanted before and after joining: the second step gets a name of its own. */
function unique(cx: PlanContext, node: string, slug: string): string {
  if (!cx.steps.isPlanned(node, slug)) return slug;
  for (let n = 2; ; n += 1) if (!cx.steps.isPlanned(node, `${slug}-${n}`)) return `${slug}-${n}`;
}

function holdSlug(check: HoldCheck): string {
  if (check.is === 'unit-active') return slugOf('unit-', check.unit);
  return check.is === 'address-present' ? `address-${check.address.text}` : check.is;
}

/**
 * Joining masters while workers join: a learner does not vote, so etcd keeps its quorum (kubeadm from 1.29). Before, the
 * new member counts from the moment it is added, and a cluster of one has no quorum until the second one has started.
 */
export function workersMayJoinMeanwhile(cx: PlanContext): boolean {
  return atLeast(cx.spec.kubernetes.version, 1, 29);
}
