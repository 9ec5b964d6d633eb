import { makeUser, removeUser } from '../render/agent/node-scripts.ts';
import { agentPaths, agentUser } from '../render/agent/paths.ts';
import { caCommand, caConfigPath } from '../render/kubeadm/commands.ts';
import { initDocuments } from '../render/kubeadm/documents.ts';
import { renderDocuments } from '../render/kubeadm/yaml.ts';
import type { Place } from '../strategy/strategy.ts';
import type { StepList } from './builder.ts';
import type { PlanContext } from './context.ts';
import { estimates } from './estimates.ts';
import { slugs } from './ids.ts';
import type { PhaseName, StepId } from './step.ts';

type Add = StepList['add'];

const clusterCa = '/etc/kubernetes/pki/ca.crt';

/** hairpin's own program on a node, the user that it runs as, and the cluster's CA: what units of ours rest on. */
export function planProgram(cx: PlanContext, place: Place, phase: PhaseName, add: Add): void {
  const node = place.node.name;
  const desk = cx.desk(node);
  // The leader's first of all: everybody waits for it.
  if (place.part === 'leader') planCa(cx, place, phase, add);
  if (!desk.hasUser(agentUser)) {
    add(node, phase, {
      kind: 'run',
      slug: `make-user-${agentUser}`,
      argv: makeUser,
      stdin: undefined,
      timeoutMs: 30_000,
      okExitCodes: [0],
      because: 'what decides whom to steer to runs without privileges',
      undo: { is: 'run', argv: removeUser, says: `delete the user ${agentUser}` },
    });
    desk.madeUser(agentUser);
  }
  if (!desk.hasProgram(cx.program)) {
    add(node, phase, {
      kind: 'install-program',
      slug: 'install-program',
      program: cx.program,
      because: 'one executable with all that the agent needs, about 43 MB on the way',
      alsoNeeds: afterLeader(cx, place),
      estimateMs: estimates.installProgram,
      undo: {
        is: 'run',
        argv: ['rm', '-rf', '--', agentPaths.versions],
        says: `delete ${agentPaths.versions}`,
      },
    });
    desk.installedProgram(cx.program);
  }
  if (place.part !== 'leader') planCa(cx, place, phase, add);
}

/**
 * Everybody waits for init, so the leader's copy has the way and the processors to itself; the others' go while init runs.
 * Where the leader gets its own after init, its last step is the CA, and nobody waits.
 */
function afterLeader({ cluster, steps }: PlanContext, { part }: Place): readonly StepId[] {
  return part === 'leader' || cluster.exists ? [] : steps.lastOf(cluster.leader.name);
}

/** The leader makes the CA before init; everybody who has not joined yet gets a copy of its certificate. */
export function planCa(cx: PlanContext, { node, part }: Place, phase: PhaseName, add: Add): void {
  const { cluster, spec, documents, steps } = cx;
  if (cluster.state(node) === 'member') return;
  const desk = cx.desk(node.name);
  const leader = cluster.leader.name;
  const caStep: StepId = `${leader}/${slugs.ca}`;
  if (part === 'leader') {
    const isThere = cluster.state(node) === 'new' && desk.exists(clusterCa);
    if (isThere || steps.has(caStep) || steps.isPlanned(leader, slugs.init)) return;
    add(node.name, phase, {
      kind: 'kubeadm-ca',
      slug: slugs.ca,
      configPath: caConfigPath,
      config: renderDocuments(initDocuments(spec, node, documents)),
      argv: caCommand(),
      because: 'the agent asks only apiservers that have a certificate of this CA, from the first init on',
      undo: { is: 'kubeadm-reset' },
    });
    return;
  }
  if (desk.wroteCa() || steps.isPlanned(node.name, slugs.join)) return;
  const leaders = cx.view.node(leader).file(clusterCa);
  const fresh = steps.has(caStep) || leaders === undefined;
  if (!fresh && cx.view.node(node.name).file(agentPaths.ca)?.sha256 === leaders.sha256) return;
  add(node.name, phase, {
    kind: 'deliver-ca',
    slug: 'deliver-ca',
    from: leader,
    path: agentPaths.ca,
    because: 'the agent asks only apiservers that have a certificate of this CA',
    alsoNeeds: steps.has(caStep) ? [caStep] : [],
    estimateMs: estimates.writeFile,
    undo: { is: 'restore-file', path: agentPaths.ca },
  });
  desk.deliveredCa();
}
