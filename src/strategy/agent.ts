import { renderAgentConfig } from '../render/agent/config.ts';
import { renderLauncher } from '../render/agent/launcher.ts';
import { withdrawAgent } from '../render/agent/node-scripts.ts';
import { agentPaths, agentUnits } from '../render/agent/paths.ts';
import { agentUnitFiles } from '../render/agent/units.ts';
import { steerConfPath, steerScriptPath, steerTablePath, steerUnit } from '../render/steer/script.ts';
import { unitPath } from '../render/systemd/unit.ts';
import { type BaseContext, type Gone, nothing, type Place, type Wanted, type WantedUnit } from './strategy.ts';

/** Program, configuration and units of the agent on one node. */
export function agentOn(cx: BaseContext, place: Place, because: string): Wanted {
  const ofCluster = made.get(cx) ?? new Map<string, Wanted>();
  made.set(cx, ofCluster);
  const { name } = place.node;
  const wanted = ofCluster.get(name) ?? makeAgent(cx, place, because);
  ofCluster.set(name, wanted);
  return wanted;
}

/** A plan asks before and after joining, and of thousands of workers; the answer is the same. */
const made = new WeakMap<BaseContext, Map<string, Wanted>>();

/** By whether there is a mirror: all masters have the same units, and so have all workers. */
const unitsOf = new Map(
  [true, false].map((mirror) => [mirror, { files: agentUnitFiles({ mirror }), units: wantedUnits(mirror) }]),
);

function makeAgent(cx: BaseContext, { node, part }: Place, because: string): Wanted {
  const { spec, masters } = cx;
  const { files = [], units = [] } = unitsOf.get(part !== 'worker') ?? {};
  const config = renderAgentConfig({ spec, node, masters, device: cx.device(node), draining: cx.draining });
  const launcher = renderLauncher(cx.program);
  return {
    ...nothing,
    program: true,
    gone: [staticGone],
    files: [
      {
        path: agentPaths.program,
        content: launcher,
        mode: 0o755,
        because: 'the version in force, for units and people',
      },
      { path: agentPaths.config, content: config, mode: 0o644, because },
      ...files,
    ],
    units,
    holds: [{ is: 'unit-active', unit: agentUnits.agent }],
  };
}

function wantedUnits(mirror: boolean): readonly WantedUnit[] {
  const unit = (name: string, why: string, restartOn: readonly string[]): WantedUnit => ({
    unit: name,
    because: why,
    restartOn: [unitPath(name), ...restartOn],
    reloadOn: [agentPaths.config],
    kind: 'ours',
    undo:
      name === agentUnits.steerer
        ? { argv: withdrawAgent, says: 'stop the agent and take steering out of the kernel' }
        : undefined,
  });
  const own = [agentPaths.program];
  return [
    {
      ...unit(agentUnits.podsSocket, "flows of pods are reset in pods' own namespaces", [unitPath(agentUnits.pods)]),
      reloadOn: [],
    },
    unit(agentUnits.steerer, 'changes the steering table when the agent asks', own),
    unit(agentUnits.agent, 'steers; without it the kernel lets go after 3 s', own),
    ...(mirror
      ? [
          {
            ...unit(agentUnits.mirrorSocket, 'balancers may ask here whether this apiserver is ready', [
              unitPath(agentUnits.mirror),
              ...own,
            ]),
            reloadOn: [],
          },
        ]
      : []),
  ];
}

/** An earlier hairpin steered by a loop in sh. Its table has the same name and stays: flows live in it. */
const staticGone: Gone = {
  unit: steerUnit,
  uninstall: undefined,
  files: [steerTablePath, steerConfPath, steerScriptPath, unitPath(steerUnit)],
  because: 'the agent takes its place',
};
