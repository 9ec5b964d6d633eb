import { stat } from 'node:fs/promises';
import { OperatorError } from '../../errors/operator-error.ts';
import type { FaultContext, LabFault } from '../faults/fault.ts';
import { untilReady } from './boot.ts';
import { enterNode } from './enter.ts';
import { machineCgroups, machineDirs } from './machine-dirs.ts';
import { findPid1 } from './pid1.ts';

/** Faults of machines that have a system of their own. */
export const nodeFaults: readonly LabFault[] = [
  {
    name: 'power-off',
    summary: 'the node loses its power: no process ends in order, no connection is closed; heal boots it again',
    target: 'node',
    async inject({ lab, tier, target }) {
      await tier.stopMachine(lab, target, 'power-off');
      return {};
    },
    async heal({ lab, tier, target }) {
      await tier.startMachine(lab, target);
    },
  },
  {
    name: 'reboot',
    summary: 'the node shuts down in order and boots again; in force until it serves ssh again',
    target: 'node',
    async inject(cx) {
      const before = findPid1(machineCgroups(cx.lab, cx.target));
      await mustEnter(cx, ['systemctl', 'reboot']);
      return { before };
    },
    async heal({ lab, target }, { before }) {
      await untilReady(lab, target, { not: before });
    },
  },
  {
    name: 'disk-full',
    summary: "etcd's disk of a master has no byte left; heal frees it",
    target: 'node',
    async inject(cx) {
      const { etcdImage } = machineDirs(cx.lab.paths, cx.target);
      if ((await stat(etcdImage).catch(() => undefined)) === undefined) {
        throw new OperatorError('LAB_FAULT', `etcd has no disk of its own on ${cx.target}`, {
          hint: 'only masters have one, and only on a machine that has loop devices',
        });
      }
      // dd stops where the disk is full, which is the point; whatever it managed to write is what is missing.
      const fill = `dd if=/dev/zero of=${filler} bs=64k 2>/dev/null; dd if=/dev/zero bs=4k 2>/dev/null >>${filler}; sync; test -s ${filler}`;
      await mustEnter(cx, ['sh', '-c', fill]);
      return {};
    },
    async heal(cx) {
      await mustEnter(cx, ['rm', '-f', filler]);
    },
  },
];

/** Beside etcd's own files: etcd does not mind names it does not know. */
const filler = '/var/lib/etcd/hairpin-lab-full';

async function mustEnter(cx: FaultContext, argv: readonly string[]): Promise<void> {
  const cgroups = machineCgroups(cx.lab, cx.target);
  const pid1 = findPid1(cgroups);
  if (pid1 === undefined) throw new OperatorError('LAB_FAULT', `Node ${cx.target} is off`);
  const result = await cx.lab.run(enterNode(cgroups, pid1, argv));
  if (result.exitCode === 0) return;
  throw new OperatorError('LAB_FAULT', `\`${argv[0]}\` failed on ${cx.target}`, { cause: result.stderr.trim() });
}
