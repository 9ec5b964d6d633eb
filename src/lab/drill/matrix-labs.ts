import { setTimeout as sleep } from 'node:timers/promises';
import type { MatrixGroup } from '../../drill/matrix/plan.ts';
import type { MatrixLab, MatrixLabs, OpenedLab } from '../../drill/matrix/run-matrix.ts';
import { type ClientClass, clientClasses, type VariantName } from '../../drill/matrix/variants.ts';
import type { DrillClient, DrillSite } from '../../drill/site/site.ts';
import { throughCommand, trafficProgram } from '../../drill/traffic/channel.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { bindVipUnit } from '../../render/systemd/bind-vip.ts';
import { changeBalancer, readBalancerStatus } from '../balancer/client.ts';
import type { RunningLab } from '../runtime/open-lab.ts';
import { startLab } from '../runtime/start-lab.ts';
import { stopLab } from '../runtime/stop-lab.ts';
import { balancerCatalog } from '../spec/catalog.ts';
import type { LabInput } from '../spec/input.ts';
import { resolveLab } from '../spec/resolve.ts';
import { applyStrategy, unpackProgram } from '../strategy/apply.ts';
import { machineNetns, strategyPaths } from '../strategy/paths.ts';
import { placeStrategy, type StrategyForm } from '../strategy/place.ts';
import { strategyFaults } from '../strategy/unit-faults.ts';
import { signalUnit, unitProcess } from '../strategy/units.ts';
import { labSite } from './site.ts';
import { trafficArgv } from './traffic-argv.ts';

/** haproxy's port in the article: endpoint, haproxy and the balancer's backend port are one. */
const haproxyPort = 9443;
const vip = '172.16.105.26';

/** What the lab has to look like for a strategy, and the strategy as renderers know it. */
const forms: Readonly<
  Record<VariantName, { readonly input: (preset: string) => LabInput; readonly form: StrategyForm }>
> = {
  direct: { input: (balancer) => ({ balancer }), form: { strategy: { name: 'direct' } } },
  'bind-vip': { input: (balancer) => ({ balancer }), form: { strategy: { name: 'bind-vip' } } },
  hosts: {
    // A product whose front end is a name has its own addresses.
    input: (balancer) => ({ balancer, endpoint: balancer === 'aws-nlb' ? {} : { kind: 'domain', addresses: [vip] } }),
    form: { strategy: { name: 'hosts', to: 'loopback' } },
  },
  'keepalived-haproxy': {
    input: (balancer) => ({
      balancer: { like: balancer, backendPort: haproxyPort },
      endpoint: { port: haproxyPort },
    }),
    form: { strategy: { name: 'keepalived-haproxy', vrrp: 'unicast', port: haproxyPort } },
  },
  'keepalived-vip': { input: withoutBalancer, form: heldByMasters() },
  'all-master-vip': { input: withoutBalancer, form: { ...heldByMasters(), acceptUnsafe: ['all-master-vip'] } },
  steer: { input: (balancer) => ({ balancer }), form: { strategy: { name: 'steer', workers: false } } },
  'steer-workers': { input: (balancer) => ({ balancer }), form: { strategy: { name: 'steer', workers: true } } },
  'steer-static': {
    input: (balancer) => ({ balancer }),
    form: { strategy: { name: 'steer', workers: false }, static: true },
  },
  'steer-no-agent': { input: (balancer) => ({ balancer }), form: { strategy: { name: 'steer', workers: false } } },
};

/** The lab always has a balancer; on a segment it is a machine that can be unplugged. */
function withoutBalancer(): LabInput {
  return { balancer: 'works', network: { kind: 'segment' }, endpoint: { port: haproxyPort } };
}

function heldByMasters(): StrategyForm {
  return {
    strategy: { name: 'keepalived-vip', interface: undefined, routerId: 51, port: haproxyPort },
    noBalancer: true,
  };
}

/** `keepalived-haproxy` refuses a name, for instance; `direct` is measured where it does not fit, because people do it. */
const measuredAnyway: readonly VariantName[] = ['direct'];

/** Names of labs are short. */
const shortNames: Readonly<Record<string, string>> = {
  'keepalived-haproxy': 'kaha',
  'keepalived-vip': 'kavip',
  'all-master-vip': 'allm',
  'steer-workers': 'steerw',
  'steer-static': 'steers',
  'steer-no-agent': 'steern',
  'alibaba-clb': 'clb',
  'azure-ilb': 'ilb',
  'aws-nlb': 'nlb',
  'gcp-internal': 'gcp',
  haproxy: 'hap',
};

function labNameOf({ variant, preset }: MatrixGroup): string {
  return `mx-${shortNames[variant.name] ?? variant.name}-${shortNames[preset] ?? preset}`;
}

/** Every strategy in front of stand-ins: rendered files, real programs, a fresh lab each. */
export const wireMatrixLabs: MatrixLabs = {
  tier: 'wire',
  async prepare(groups, signal) {
    const steers = groups.some(({ variant }) => forms[variant.name].form.strategy.name === 'steer');
    if (steers) await unpackProgram(signal);
  },
  async open(group, { emit, signal }): Promise<OpenedLab> {
    const { input, form } = forms[group.variant.name];
    const name = labNameOf(group);
    const resolved = resolveLab(
      { tier: 'wire', name, masters: 3, workers: 1, clients: 1, ...input(group.preset) },
      balancerCatalog(),
    );
    if (!resolved.ok) throw new TypeError(JSON.stringify(resolved.problems));
    const { unsuitable } = placeStrategy(resolved.spec, form, 'undecided');
    if (unsuitable !== undefined && !measuredAnyway.includes(group.variant.name)) {
      return { is: 'refused', reason: unsuitable.reason };
    }
    await stopLab(name);
    const lab = await startLab(resolved.spec, { emit, signal });
    try {
      return { is: 'open', lab: await dress(lab, group, form) };
    } catch (error) {
      await lab[Symbol.asyncDispose]();
      throw error;
    }
  },
};

async function dress(lab: RunningLab & AsyncDisposable, group: MatrixGroup, form: StrategyForm): Promise<MatrixLab> {
  const { cx } = lab;
  const noBalancer = form.noBalancer === true;
  if (noBalancer) await cx.run(['ip', '-n', cx.topology.balancer.netns, 'link', 'set', 'dev', 'eth0', 'down']);
  // With haproxy in between nobody listens on the backend's port yet.
  else if (lab.spec.backendPort === lab.spec.apiServerPort) await untilBalanced(lab, cx.signal);
  const { units } = await applyStrategy(lab, form);
  if (group.variant.name === 'steer-no-agent') {
    for (const [machine, names] of units) {
      for (const unit of names.toReversed()) await signalUnit(cx, machine, unit, 'SIGKILL');
    }
    // The kernel lets an element lapse 3 s after its last renewal.
    await sleep(4500, undefined, { signal: cx.signal });
  }
  const running = new Set(group.variant.name === 'steer-no-agent' ? [] : [...units.values()].flat());
  const own = await labSite(lab);
  const site: DrillSite = {
    ...own,
    strategy: `${group.variant.name} behind ${group.preset}`,
    faults: [...own.faults, ...strategyFaults(cx, running)],
    problems: async (signal) => {
      const found = await own.problems(signal);
      return noBalancer ? found.filter((problem) => !problem.startsWith('the balancer')) : found;
    },
  };
  const [access] = await own.clients();
  if (access === undefined) throw new TypeError('A lab always has clients');
  const clients = async (target: string, fault: string) =>
    clientClasses.flatMap((client) => clientOf(lab, group.variant.name, access, client, target, fault));
  return {
    site,
    clients,
    target: () => targetOf(lab, group.variant.name),
    async steady(signal) {
      if (!noBalancer) await untilBalanced(lab, signal);
      for (const [machine, names] of units) {
        for (const unit of names) {
          if (!running.has(unit) || !isDaemon(unit) || (await unitProcess(cx, machine, unit)) !== undefined) continue;
          throw unsteady(`${unit} of ${machine} has ended`);
        }
      }
    },
    [Symbol.asyncDispose]: () => lab[Symbol.asyncDispose](),
  };
}

/** Bound once and over. */
function isDaemon(unit: string): boolean {
  return unit !== bindVipUnit && !unit.endsWith('.socket');
}

/**
 * Waits until the balancer sends new connections to every master. What that takes is measured while things are broken; in
 * between its checks are made quickly, or one product alone would take minutes to take a backend back.
 */
async function untilBalanced(lab: RunningLab, signal: AbortSignal): Promise<void> {
  const { healthCheck, behaviour } = lab.spec.balancer;
  const { paths } = lab.cx;
  const masters = lab.spec.machines.filter(({ role }) => role === 'control-plane').length;
  // haproxy would be started anew for it.
  const hurry = behaviour !== 'proxy';
  const end = performance.now() + 40_000;
  const inRotation = async () => {
    const status = await readBalancerStatus(paths, { signal });
    return status.backends.filter((backend) => backend.inRotation).length;
  };
  if ((await inRotation()) === masters) return;
  if (hurry) await changeBalancer(paths, { op: 'checks', intervalMs: 200 }, { signal });
  try {
    while ((await inRotation()) !== masters) {
      if (performance.now() > end) throw unsteady('the balancer does not take all masters back');
      await sleep(100, undefined, { signal });
    }
  } finally {
    if (hurry) await changeBalancer(paths, { op: 'checks', intervalMs: healthCheck.intervalMs });
  }
}

function unsteady(why: string): OperatorError {
  return new OperatorError('DRILL_UNHEALTHY', why, { hint: 'the matrix goes on with a fresh lab' });
}

/** The master that holds the endpoint, where one does; else the first. */
async function targetOf(lab: RunningLab, variant: VariantName): Promise<string> {
  const masters = lab.spec.machines.flatMap(({ name, role }) => (role === 'control-plane' ? [name] : []));
  const [first = ''] = masters;
  const { cx } = lab;
  const run = async (netns: string, ...args: readonly string[]) =>
    (await cx.run(['ip', '-n', netns, '-oneline', ...args])).stdout;
  if (variant === 'keepalived-vip') {
    for (const name of masters) {
      if ((await run(machineNetns(cx, name), 'address', 'show', 'to', vip)) !== '') return name;
    }
    throw unsteady(`nobody holds ${vip}`);
  }
  if (variant !== 'all-master-vip') return first;
  // Whom the router in front of outside clients has learned.
  const mac = /lladdr (\S+)/.exec(await run(cx.topology.fabric.netns, 'neighbour', 'show', vip))?.[1];
  for (const name of masters) {
    const link = await run(machineNetns(cx, name), 'link', 'show', 'dev', 'eth0');
    if (mac !== undefined && link.includes(mac)) return name;
  }
  return first;
}

/** None where the class does not exist, or where the fault cuts the client itself off from everything. */
function clientOf(
  lab: RunningLab,
  variant: VariantName,
  access: DrillClient,
  client: ClientClass,
  target: string,
  fault: string,
): readonly DrillClient[] {
  if (client === 'own-stale-pod' && variant !== 'hosts') return [];
  if (client.startsWith('own') && fault.startsWith('node-')) return [];
  const machine = machineOf(lab, client, target);
  if (machine === undefined) return [];
  const program = (config: string) => [process.execPath, trafficProgram, config];
  // A pod keeps the copy of /etc/hosts that it was started with.
  const before = strategyPaths(lab.cx.paths, machine).hostsBefore;
  const bind = 'mount --bind "$1" /etc/hosts && shift && exec "$@"';
  const stale = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', bind, 'stale', before];
  const argv = (config: string) => (client === 'own-stale-pod' ? [...stale, ...program(config)] : program(config));
  return [
    {
      ...access,
      name: client,
      channel: throughCommand((config) => trafficArgv(lab.cx, machine, argv(config))),
    },
  ];
}

function machineOf(lab: RunningLab, client: ClientClass, target: string): string | undefined {
  const named = (role: string) => lab.spec.machines.filter((machine) => machine.role === role).map(({ name }) => name);
  switch (client) {
    case 'own':
    case 'own-stale-pod':
      return target;
    case 'own-pod':
      return `${target}-pod`;
    case 'other':
      return named('control-plane').find((name) => name !== target);
    case 'worker':
      return named('worker')[0];
    case 'worker-pod':
      return `${named('worker')[0]}-pod`;
    case 'outside':
      return named('client')[0];
  }
}
