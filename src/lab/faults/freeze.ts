import type { ProcessId } from '../runtime/process-id.ts';
import type { LabFault } from './fault.ts';
import { namedProcesses, signalAll, wantedProcesses } from './processes.ts';

/**
 * The process hangs: its connections stay open, the kernel still accepts new ones for it, and nothing is answered. A TCP
 * health check does not see this.
 */
export const freezeFault: LabFault = {
  name: 'freeze',
  summary: 'a process hangs: it accepts connections and answers nothing (SIGSTOP)',
  target: 'process',

  async inject(cx) {
    const processes = (await wantedProcesses(cx)).map(({ pid, started }): ProcessId => ({ pid, started }));
    await signalAll(processes, 'SIGSTOP');
    return { processes };
  },

  async heal(cx, undo) {
    // Whoever was killed while it froze has not written down what: then everything of that name, which does no harm.
    const recorded = undo.processes as readonly ProcessId[] | undefined;
    await signalAll(recorded ?? (await namedProcesses(cx)), 'SIGCONT');
  },
};
