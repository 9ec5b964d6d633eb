import { agentUnits } from '../../render/agent/paths.ts';
import { haproxyUnit } from '../../render/haproxy/config.ts';
import { keepalivedUnit } from '../../render/keepalived/config.ts';
import type { FaultedCluster, NodeFault, Script } from './on-nodes.ts';
import { runDir } from './on-nodes.ts';

/**
 * Processes of static pods. Only those on the host's network count: a pod may run an etcd of its own. A frozen one is
 * restarted by the kubelet after 8 failed probes of 10 s each (kubeadm's livenessProbe), so it stays frozen for over a minute.
 */
const ownProcesses = `
own() {
  net=$(readlink /proc/1/ns/net)
  for pid in $(pgrep -x "$1"); do [ "$(readlink "/proc/$pid/ns/net")" = "$net" ] && echo "$pid"; done
}
`;

/** The manifest goes first: the kubelet needs seconds to notice, and must not start it again. */
export const killPod: string = `set -u
${ownProcesses}
held=/etc/kubernetes/hairpin-drill
manifest=/etc/kubernetes/manifests/$1.yaml
pids=$(own "$1")
[ -n "$pids" ] || { echo "no $1 runs here" >&2; exit 66; }
mkdir -p "$held"
[ ! -e "$manifest" ] || mv "$manifest" "$held/$1.yaml"
kill -KILL $pids`;

export const bringPodBack: string = `held=/etc/kubernetes/hairpin-drill
[ ! -e "$held/$1.yaml" ] || mv "$held/$1.yaml" "/etc/kubernetes/manifests/$1.yaml"
rmdir "$held" 2>/dev/null || :`;

const freezePod = `${ownProcesses}
pids=$(own "$1")
[ -n "$pids" ] || { echo "no $1 runs here" >&2; exit 66; }
kill -STOP $pids`;

const thawPod = `${ownProcesses}
for pid in $(own "$1"); do kill -CONT "$pid"; done`;

/** Stopped for four fifths of each half second: whatever it answers is up to 400 ms late. */
const slowPod = `${ownProcesses}
pids=$(own "$1" | tr '\\n' ' ')
[ -n "$pids" ] || { echo "no $1 runs here" >&2; exit 66; }
systemd-run --quiet --collect --unit="hairpin-drill-slow-$1" sh -c '
trap "kill -CONT $1; exit 0" TERM
while kill -STOP $1; do sleep 0.4; kill -CONT $1; sleep 0.1; done' slow "$pids"`;

const quickPod = `systemctl stop "hairpin-drill-slow-$1.service" 2>/dev/null
${thawPod}`;

const killed = (name: string, takesMembers: 'none' | 'one'): NodeFault => ({
  name: `${short(name)}-killed`,
  summary: 'SIGKILL, and its manifest is taken away',
  aimedAt: 'master',
  takesMembers,
  would: () => [`mv /etc/kubernetes/manifests/${name}.yaml aside; kill -KILL ${name}`],
  inject: () => ({ text: killPod, args: [name] }),
  heal: () => ({ text: bringPodBack, args: [name] }),
});

const frozen = (name: string, takesMembers: 'none' | 'one'): NodeFault => ({
  name: `${short(name)}-frozen`,
  summary: 'SIGSTOP',
  aimedAt: 'master',
  takesMembers,
  would: () => [`kill -STOP ${name}`],
  inject: () => ({ text: freezePod, args: [name] }),
  heal: () => ({ text: thawPod, args: [name] }),
});

function short(name: string): string {
  return name.replace(/^kube-/, '');
}

export const podFaults: readonly NodeFault[] = [
  killed('kube-apiserver', 'none'),
  frozen('kube-apiserver', 'none'),
  {
    name: 'apiserver-slow',
    summary: 'SIGSTOP for 400 ms of each 500',
    aimedAt: 'master',
    takesMembers: 'none',
    would: () => ['kill -STOP and -CONT kube-apiserver in turns, 400 and 100 ms'],
    inject: () => ({ text: slowPod, args: ['kube-apiserver'] }),
    heal: () => ({ text: quickPod, args: ['kube-apiserver'] }),
  },
  killed('etcd', 'one'),
  frozen('etcd', 'one'),
];

/**
 * Masking for a boot does nothing to a unit that is in /etc; a drop-in below /run does. A reboot takes it away.
 */
const holdUnits = `set -u
systemctl is-active --quiet "$1" || { echo "$1 is not active" >&2; exit 66; }
for unit; do
  mkdir -p "/run/systemd/system/$unit.d"
  printf '[Unit]\\nConditionPathExists=!%s/held\\n[Service]\\nRestart=no\\n' "${runDir}" >"/run/systemd/system/$unit.d/90-hairpin-drill.conf"
done
mkdir -p "${runDir}" && : >"${runDir}/held"
systemctl daemon-reload
systemctl kill --signal=KILL "$@"`;

const freeUnits = `rm -f "${runDir}/held"
found=
for unit; do
  dropin=/run/systemd/system/$unit.d/90-hairpin-drill.conf
  [ ! -e "$dropin" ] || { rm -f "$dropin"; rmdir "\${dropin%/*}" 2>/dev/null; found="$found $unit"; }
done
[ -n "$found" ] || exit 0
systemctl daemon-reload
systemctl reset-failed $found 2>/dev/null
systemctl start $found`;

const freezeUnits = `systemctl is-active --quiet "$1" || { echo "$1 is not active" >&2; exit 66; }
systemctl kill --signal=STOP "$@"`;

const thawUnits = `systemctl kill --signal=CONT "$@" 2>/dev/null || :`;

interface Units {
  readonly name: string;
  /** Strategies that run it; any when absent. */
  readonly of?: RegExp;
  readonly aimedAt: 'master' | 'node';
  readonly units: readonly [string, ...string[]];
}

const daemons: readonly Units[] = [
  { name: 'agent', of: /^steer/, aimedAt: 'node', units: [agentUnits.agent, agentUnits.steerer] },
  { name: 'haproxy', of: /^keepalived-/, aimedAt: 'master', units: [haproxyUnit] },
  { name: 'keepalived', of: /^keepalived-/, aimedAt: 'master', units: [keepalivedUnit] },
];

function unavailable(of: RegExp | undefined): (cluster: FaultedCluster) => string | undefined {
  return ({ strategy }) =>
    of === undefined || strategy === 'unknown' || of.test(strategy)
      ? undefined
      : `strategy ${strategy} does not run it`;
}

const held = (name: string, how: string, { of, aimedAt, units }: Omit<Units, 'name'>): NodeFault => ({
  unavailable: unavailable(of),
  name: `${name}-${how}`,
  summary: 'SIGKILL, and systemd does not start it again',
  aimedAt,
  takesMembers: 'none',
  would: () => [`systemctl kill --signal=KILL ${units.join(' ')}, held down by a drop-in below /run`],
  inject: (): Script => ({ text: holdUnits, args: units }),
  heal: (): Script => ({ text: freeUnits, args: units }),
});

export const unitFaults: readonly NodeFault[] = [
  held('kubelet', 'stopped', { aimedAt: 'node', units: ['kubelet.service'] }),
  ...daemons.flatMap(({ name, ...unit }): readonly NodeFault[] => [
    held(name, 'killed', unit),
    {
      name: `${name}-frozen`,
      summary: 'SIGSTOP',
      unavailable: unavailable(unit.of),
      aimedAt: unit.aimedAt,
      takesMembers: 'none',
      would: () => [`systemctl kill --signal=STOP ${unit.units.join(' ')}`],
      inject: () => ({ text: freezeUnits, args: unit.units }),
      heal: () => ({ text: thawUnits, args: unit.units }),
    },
  ]),
  {
    name: 'containerd-restarted',
    summary: 'systemctl restart containerd',
    aimedAt: 'node',
    takesMembers: 'none',
    would: () => ['systemctl restart containerd'],
    inject: () => ({ text: 'systemctl restart containerd' }),
    heal: () => ({ text: 'systemctl start containerd' }),
  },
];
