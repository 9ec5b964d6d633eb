import { steerFiles } from '../render/steer/files.ts';
import { steerConfPath, steerScriptPath, steerTablePath, steerUnit } from '../render/steer/script.ts';
import { unitPath } from '../render/systemd/unit.ts';
import { type BaseContext, type Gone, nothing, type Place, type Wanted, type WantedUnit } from './strategy.ts';

/** The files and the unit of static steering on one node: for the minutes of a join, a copy of the agent is too much. */
function steering(cx: BaseContext, place: Place, because: string): Wanted {
  const ofCluster = made.get(cx) ?? new Map<string, Wanted>();
  made.set(cx, ofCluster);
  const key = `${place.node.name} ${because}`;
  const wanted = ofCluster.get(key) ?? makeSteering(cx, place, because);
  ofCluster.set(key, wanted);
  return wanted;
}

/** A plan asks before and after joining, and of thousands of workers; the answer is the same. */
const made = new WeakMap<BaseContext, Map<string, Wanted>>();

function makeSteering(cx: BaseContext, { node }: Place, because: string): Wanted {
  const files = steerFiles(
    {
      node,
      masters: cx.masters,
      apiServerPort: cx.spec.apiServerPort,
      host: cx.spec.endpoint.host,
      endpoints: cx.endpointAddresses,
      port: cx.spec.endpoint.port,
      device: cx.device(node),
    },
    because,
  );
  const unit: WantedUnit = {
    unit: steerUnit,
    because: 'keeps steering alive; without it the kernel lets go after 3 s',
    restartOn: files.map((file) => file.path),
    kind: 'ours',
    undo: { argv: uninstall, says: `stop ${steerUnit} and take steering out of the kernel` },
  };
  return { ...nothing, files, units: [unit], holds: [{ is: 'unit-active', unit: steerUnit }] };
}

/** Sends a joining master to masters that are ready, where the endpoint's address is its own and nothing listens there yet. */
export function bridgeToLeader(cx: BaseContext, place: Place): Wanted {
  return steering(cx, place, 'until it has joined, the endpoint must lead to another master');
}

const uninstall = ['bash', steerScriptPath, 'uninstall'];

export const bridgeGone: Gone = {
  unit: steerUnit,
  uninstall,
  files: [steerTablePath, steerConfPath, steerScriptPath, unitPath(steerUnit)],
  because: 'joined: the bridge to another master is not needed any more',
};
