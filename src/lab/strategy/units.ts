import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../errors/operator-error.ts';
import { agentUnits } from '../../render/agent/paths.ts';
import { unitPath } from '../../render/systemd/unit.ts';
import { identify, type ProcessId } from '../runtime/process-id.ts';
import type { LabContext } from '../tier/tier.ts';
import { machineNetns, programDirectory, strategyPaths } from './paths.ts';
import { parseUnit, type UnitFile } from './unit-file.ts';
import { proberId } from './user.ts';

/**
 * Becomes a machine that has the rendered files: its own /etc, /usr/local, /var/lib and /run, the lab's DNS server and its
 * own /etc/hosts; all else is this machine's. Mounts are private to the process. $1 the machine's directory, $2 its name,
 * $3 the program's directory (or nothing), $4 names of its pods' namespaces.
 */
const becomeMachine = `
set -eu
dir=$1 machine=$2 program=$3 pods=$4
shift 4
hostname "$machine"
mount -t tmpfs -o mode=755 none /mnt
mkdir /mnt/run /mnt/state /mnt/program
mount --bind "$dir/run" /mnt/run
mount --bind "$dir/state" /mnt/state
[ -z "$program" ] || mount --bind "$program" /mnt/program
mkdir -p /mnt/run/netns
for pod in $pods; do : >"/mnt/run/netns/$pod"; mount --bind "/run/netns/$pod" "/mnt/run/netns/$pod"; done
mount -t overlay overlay -o "lowerdir=$dir/tree/etc:/etc" /etc
mount -t overlay overlay -o "lowerdir=$dir/tree/usr/local:/usr/local" /usr/local
for file in hosts resolv.conf hostname; do mount --bind "$dir/../$file" "/etc/$file"; done
[ -z "$program" ] || mount --bind /mnt/program "/usr/local/lib/hairpin/$(basename "$program")"
mount -t tmpfs -o mode=755 none /var/lib
mkdir /var/lib/hairpin-agent
mount --bind /mnt/state /var/lib/hairpin-agent
mount --rbind /mnt/run /run
exec "$@"
`;

/** The argv that runs a command on a machine of the wire tier with the strategy's files in their places. */
async function onMachine(cx: LabContext, machine: string, argv: readonly string[]): Promise<readonly string[]> {
  const { root, tree } = strategyPaths(cx.paths, machine);
  const [id] = await readdir(join(tree, 'usr/local/lib/hairpin')).catch(() => []);
  const pods = cx.topology.pods.filter((pod) => pod.node === machine).map(({ netns }) => netns);
  return [
    'unshare',
    '--mount',
    '--uts',
    '--propagation',
    'private',
    'sh',
    '-c',
    becomeMachine,
    'machine',
    root,
    machine,
    id === undefined ? '' : programDirectory(id),
    pods.join(' '),
    ...argv,
  ];
}

/** Starts a unit from its rendered file as systemd would: its commands, user, capabilities and directories. Waits for oneshots. */
export async function startUnit(cx: LabContext, machine: string, name: string): Promise<void> {
  if (name === agentUnits.mirrorSocket) return;
  const { service, unit, extra } = await readUnit(cx, machine, name);
  const paths = strategyPaths(cx.paths, machine);
  await mkdir(paths.run, { recursive: true });
  for (const argv of unit.execStartPre) await mustRunOn(cx, machine, argv);
  const argv = [...prepared(unit), ...asUnit(unit), ...isolated(service), ...unit.execStart, ...extra];
  if (unit.type === 'oneshot') {
    await mustRunOn(cx, machine, argv);
    return;
  }
  await cx.daemon(daemonName(machine, name), await onMachine(cx, machine, argv), {
    netns: machineNetns(cx, machine),
    env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', NOTIFY_SOCKET: '' },
  });
}

/** The process that leads a unit's group, if it lives. */
export async function unitProcess(cx: LabContext, machine: string, name: string): Promise<ProcessId | undefined> {
  const text = await readFile(join(cx.paths.daemons, `${daemonName(machine, name)}.json`), 'utf8').catch(() => '');
  // A process that had ended before it could be identified left no identity.
  const known = text.startsWith('{') ? (JSON.parse(text) as ProcessId) : undefined;
  const now = known === undefined ? undefined : await identify(known.pid);
  return now?.started === known?.started ? now : undefined;
}

/** Sends a signal to all processes of a unit; gives false when there are none. */
export async function signalUnit(
  cx: LabContext,
  machine: string,
  name: string,
  signal: NodeJS.Signals,
): Promise<boolean> {
  const leader = await unitProcess(cx, machine, name);
  if (leader === undefined) return false;
  try {
    process.kill(-leader.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** A socket unit stands for its service: there is no systemd to start it on demand, so it runs from the start. */
async function readUnit(cx: LabContext, machine: string, name: string) {
  const { tree } = strategyPaths(cx.paths, machine);
  const read = async (unit: string): Promise<UnitFile> => parseUnit(await readFile(join(tree, unitPath(unit)), 'utf8'));
  const own = await read(name);
  if (own.listenStream === undefined) return { service: name, unit: own, extra: [] };
  const service = name.replace(/\.socket$/, '.service');
  return { service, unit: await read(service), extra: ['--socket', own.listenStream, '--idle-ms', '86400000'] };
}

/** Pods' processes are looked for in /proc, where other labs' are too. */
function isolated(service: string): readonly string[] {
  return service === agentUnits.pods ? ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc'] : [];
}

function prepared({ user, runtimeDirectory, stateDirectory }: UnitFile): readonly string[] {
  const owner = user === 'root' ? 'root' : String(proberId);
  const make = (base: string, directory: UnitFile['runtimeDirectory']) =>
    directory === undefined
      ? []
      : [
          `mkdir -p ${base}/${directory.name} && chmod ${directory.mode} ${base}/${directory.name} && chown ${owner}:${proberId} ${base}/${directory.name}`,
        ];
  const script = [...make('/run', runtimeDirectory), ...make('/var/lib', stateDirectory), 'exec "$@"'].join('\n');
  return ['sh', '-euc', script, 'unit'];
}

function asUnit({ user, group, capabilities, environment, nice }: UnitFile): readonly string[] {
  const id = (name: string) => (name === 'root' ? 0 : proberId);
  const limits =
    capabilities === undefined
      ? []
      : [
          'setpriv',
          `--reuid=${id(user)}`,
          `--regid=${id(group)}`,
          '--clear-groups',
          '--no-new-privs',
          `--bounding-set=${['-all', ...capabilities.map((name) => `+${name}`)].join(',')}`,
        ];
  return [
    ...(nice === 0 ? [] : ['nice', '-n', String(nice)]),
    ...limits,
    ...(environment.length === 0 ? [] : ['/usr/bin/env', ...environment]),
  ];
}

async function mustRunOn(cx: LabContext, machine: string, argv: readonly string[]): Promise<void> {
  const inside = ['nsenter', `--net=/run/netns/${machineNetns(cx, machine)}`, '--'];
  const result = await cx.run([...inside, ...(await onMachine(cx, machine, argv))], { timeout: 20_000 });
  if (result.exitCode === 0) return;
  throw new OperatorError('LAB_COMMAND_FAILED', `\`${argv.join(' ')}\` failed on ${machine}`, {
    cause: result.stderr.trim() || result.stdout.trim(),
  });
}

function daemonName(machine: string, unit: string): string {
  return `${machine}-${unit}`;
}
