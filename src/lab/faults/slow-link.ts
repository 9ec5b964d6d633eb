import { OperatorError } from '../../errors/operator-error.ts';
import { inNetns } from '../commands/command.ts';
import { mustRun, runCommands } from '../runtime/context.ts';
import type { FaultContext, LabFault } from './fault.ts';
import { linkOf, machineOf } from './machine-of.ts';

/**
 * Both directions of the machine's link get a token bucket: packets wait, and are lost once the queue is full. There is
 * no added delay on an idle link (the kernel may lack netem), so this shows congestion and not distance.
 */
export const slowLinkFault: LabFault = {
  name: 'slow-link',
  summary: "the machine's link carries only so much, in both directions (tbf)",
  target: 'node',
  options: [
    { name: 'rate', summary: 'as tc writes it: 256kbit, 1mbit', fallback: '1mbit' },
    { name: 'queue', summary: 'how long a packet may wait before it is dropped, as tc writes it', fallback: '400ms' },
  ],

  async inject(cx) {
    const { rate = '', queue = '' } = cx.options;
    if (!/^\d+(?:\.\d+)?[kmg]?(?:bit|bps)$/.test(rate)) throw badOption('rate', rate, '256kbit or 1mbit');
    if (!/^\d+(?:\.\d+)?(?:us|ms|s)$/.test(queue)) throw badOption('queue', queue, '400ms');
    // A burst below one packet of the largest size would let nothing through at all.
    const shape = ['root', 'tbf', 'rate', rate, 'burst', '32kbit', 'latency', queue];
    const commands = ends(cx).map(({ netns, device }) => ({
      argv: inNetns(netns, ['tc', 'qdisc', 'replace', 'dev', device, ...shape]),
    }));
    await runCommands(cx.lab, 'the fault', commands);
    return {};
  },

  async heal(cx) {
    for (const { netns, device } of ends(cx)) {
      const result = await cx.lab.run(inNetns(netns, ['tc', 'qdisc', 'del', 'dev', device, 'root']));
      // A link that went down and came back has lost it already.
      if (result.exitCode === 0 || /No such file|Cannot delete qdisc with handle of zero/.test(result.stderr)) continue;
      await mustRun(cx.lab, 'healing', result.argv);
    }
  },
};

function ends(cx: FaultContext): readonly { readonly netns: string; readonly device: string }[] {
  const { netns, peer } = linkOf(cx);
  const machine = machineOf(cx);
  return [
    { netns, device: peer },
    { netns: machine.netns, device: machine.device },
  ];
}

function badOption(name: string, value: string, example: string): OperatorError {
  return new OperatorError('USAGE', `--${name}: \`${value}\` is not a value for it; expected one such as ${example}`);
}
