import { parseDocument } from 'yaml';
import type { HairpinBehaviour } from '../../balancer/behaviour.ts';
import { products } from '../../balancer/products/index.ts';
import { toBalancerConfig } from '../../balancer/products/product.ts';
import { steerFiles } from '../../render/steer/files.ts';
import { steerUnit } from '../../render/steer/script.ts';
import { readSpec } from '../../spec/read-spec.ts';
import { controlPlaneNodes, type Spec } from '../../spec/spec.ts';
import { bindStrategy, type NamedStrategy } from '../../strategy/strategies.ts';
import {
  type BaseContext,
  nothing,
  type Place,
  type UnsafeChoice,
  type Unsuitable,
  type Wanted,
} from '../../strategy/strategy.ts';
import { clusterYaml } from '../spec/cluster-yaml.ts';
import type { LabSpec } from '../spec/lab-spec.ts';

/** A strategy as a spec names it, and what of it cannot be written there. */
export interface StrategyForm {
  readonly strategy: NamedStrategy;
  /** The loop in sh instead of the agent; `steer` only. */
  readonly static?: boolean;
  /** There is no balancer: the masters hold the endpoint. */
  readonly noBalancer?: boolean;
  readonly acceptUnsafe?: readonly UnsafeChoice[];
}

/** What `up` would leave on each node of this lab when everybody has joined. */
export interface Placed {
  readonly spec: Spec;
  /** Why `plan` would refuse it. */
  readonly unsuitable: Unsuitable | undefined;
  /** By node. Empty where it cannot be rendered at all. */
  readonly wanted: ReadonlyMap<string, Wanted>;
}

/** Pure: the lab's own cluster.yaml with this strategy in it, through the same renderers as `up`. */
export function placeStrategy(lab: LabSpec, form: StrategyForm, program: string): Placed {
  const spec = specOf(lab, form);
  const masters = controlPlaneNodes(spec);
  const [leader] = masters;
  if (leader === undefined) throw new RangeError('The lab has no master');
  const base: BaseContext = {
    spec,
    behaviour: form.noBalancer === true ? undefined : behaviourOf(lab),
    endpointAddresses: spec.endpoint.addresses,
    masters,
    leader,
    device: () => 'eth0',
    acceptUnsafe: new Set(form.acceptUnsafe ?? []),
    program,
    draining: [],
  };
  const strategy = bindStrategy(form.strategy, base);
  const unsuitable = strategy.unsuitable();
  const wantedOn = (place: Place): Wanted =>
    form.static === true ? staticSteering(base, place) : strategy.wants(place, 'settled');
  try {
    return { spec, unsuitable, wanted: new Map(placesOf(spec).map((place) => [place.node.name, wantedOn(place)])) };
  } catch (error) {
    // A strategy that says that it does not fit need not be able to render.
    if (unsuitable === undefined) throw error;
    return { spec, unsuitable, wanted: new Map() };
  }
}

function behaviourOf(lab: LabSpec): HairpinBehaviour {
  return lab.balancer.behaviour === 'proxy' ? 'works' : lab.balancer.behaviour;
}

function placesOf(spec: Spec): readonly Place[] {
  const masters = controlPlaneNodes(spec);
  const workers = spec.nodes.filter((node) => node.role === 'worker');
  return [
    ...masters.map((node, index): Place => ({ node, part: index === 0 ? 'leader' : 'follower', index })),
    ...workers.map((node, index): Place => ({ node, part: 'worker', index })),
  ];
}

function specOf(lab: LabSpec, form: StrategyForm): Spec {
  const document = parseDocument(clusterYaml(lab, { sshConfig: undefined }));
  // The lab's own strategy is left there: what does not fit is the strategy's to say, with its reason.
  if (form.noBalancer === true) {
    document.setIn(['spec', 'balancer'], 'none');
    document.setIn(['spec', 'strategy'], 'keepalived-vip');
  }
  const known = Object.fromEntries(
    products.map((product) => [product.name, { healthCheck: toBalancerConfig(product).healthCheck }]),
  );
  const read = readSpec(document.toString({ lineWidth: 0 }), { file: 'cluster.yaml', products: known });
  if (read.ok) return read.spec;
  throw new TypeError(
    `The lab's own cluster.yaml is bad: ${read.diagnostics.map((d) => `${d.path}: ${d.problem}`).join('; ')}`,
  );
}

/** What masters get for the minutes of a join, here for good. */
function staticSteering(base: BaseContext, { node, part }: Place): Wanted {
  if (part === 'worker') return nothing;
  const { spec, masters } = base;
  const files = steerFiles(
    {
      node,
      masters,
      apiServerPort: spec.apiServerPort,
      host: spec.endpoint.host,
      endpoints: spec.endpoint.addresses,
      port: spec.endpoint.port,
      device: 'eth0',
    },
    'steering without the agent',
  );
  const unit = { unit: steerUnit, because: 'steers', restartOn: [], kind: 'ours', undo: undefined } as const;
  return { ...nothing, files, units: [unit], holds: [{ is: 'unit-active', unit: steerUnit }] };
}
