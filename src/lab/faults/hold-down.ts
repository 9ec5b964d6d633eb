import { mustRun } from '../runtime/context.ts';
import type { FaultContext, FaultUndo } from './fault.ts';
import { signalAll, wantedProcesses } from './processes.ts';

/**
 * A static pod is held down by taking its manifest away, a service by masking its unit until the next boot; anything
 * else is only killed, because nothing would start it again. `kill` comes last: the kubelet needs seconds to notice.
 */
const downScript = `set -eu
manifest=/etc/kubernetes/manifests/$1.yaml
if [ -e "$manifest" ]; then
  mkdir -p /etc/kubernetes/held-down
  mv "$manifest" "/etc/kubernetes/held-down/$1.yaml"
  echo manifest
elif systemctl is-active --quiet "$1.service"; then
  systemctl mask --runtime --quiet "$1.service"
  systemctl kill --signal=KILL "$1.service"
  echo unit
else
  echo process
fi`;

/** Looks for what was held down: whoever was killed while doing it has not written down how. */
const upScript = `set -eu
held=/etc/kubernetes/held-down/$1.yaml
if [ -e "$held" ]; then mv "$held" "/etc/kubernetes/manifests/$1.yaml"; fi
if [ "$(systemctl is-enabled "$1.service" 2>/dev/null)" = masked-runtime ]; then
  systemctl unmask --runtime --quiet "$1.service"
  systemctl start "$1.service"
fi`;

export const holdDownInside = {
  async down(cx: FaultContext, process: string): Promise<FaultUndo> {
    const processes = await wantedProcesses(cx);
    const argv = cx.tier.execArgv(cx.lab, cx.target, ['sh', '-c', downScript, 'hold-down', process]);
    const { stdout } = await mustRun(cx.lab, 'the fault', argv);
    await signalAll(processes, 'SIGKILL');
    return { by: stdout.trim() };
  },

  /** What was started by hand has to be started by hand again: nobody recorded how. */
  async up(cx: FaultContext, process: string): Promise<void> {
    const argv = cx.tier.execArgv(cx.lab, cx.target, ['sh', '-c', upScript, 'hold-down', process]);
    await mustRun(cx.lab, 'healing', argv);
  },
};
