import type { DrillFault } from '../../drill/faults/fault.ts';
import { OperatorError } from '../../errors/operator-error.ts';
import { agentUnits } from '../../render/agent/paths.ts';
import { haproxyUnit } from '../../render/haproxy/config.ts';
import { keepalivedUnit } from '../../render/keepalived/config.ts';
import type { LabContext } from '../tier/tier.ts';
import { signalUnit, startUnit, unitProcess } from './units.ts';

/** A strategy's own programs on wire-tier machines, killed (and they stay away, as masked units do) or frozen. */
export function strategyFaults(cx: LabContext, running: ReadonlySet<string>): readonly DrillFault[] {
  const programs = [
    { name: 'agent', aimedAt: 'node', units: [agentUnits.agent, agentUnits.steerer] },
    { name: 'haproxy', aimedAt: 'master', units: [haproxyUnit] },
    { name: 'keepalived', aimedAt: 'master', units: [keepalivedUnit] },
  ] as const;
  return programs
    .filter(({ units }) => units.some((unit) => running.has(unit)))
    .flatMap(({ name, aimedAt, units }) => {
      const send = async (target: string, signal: NodeJS.Signals) => {
        for (const unit of units) {
          if (await signalUnit(cx, target, unit, signal)) continue;
          throw new OperatorError('LAB_FAULT', `${unit} does not run on ${target}`);
        }
      };
      const fault = (how: 'killed' | 'frozen', signal: 'SIGKILL' | 'SIGSTOP'): DrillFault => ({
        name: `${name}-${how}`,
        summary: `${signal} to ${units.join(' and ')}`,
        aimedAt,
        takesMembers: 'none',
        would: (target) => units.map((unit) => `${target}: ${signal} to ${unit}`),
        inject: (target) => send(target, signal),
        async heal(target) {
          for (const unit of units.toReversed()) {
            if ((await unitProcess(cx, target, unit)) === undefined) await startUnit(cx, target, unit);
            else await signalUnit(cx, target, unit, 'SIGCONT');
          }
        },
      });
      return [fault('killed', 'SIGKILL'), fault('frozen', 'SIGSTOP')];
    });
}
