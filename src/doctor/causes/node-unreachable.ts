import type { Cause, Sighting } from '../cause.ts';
import { dialsAt } from './help.ts';

export const nodeUnreachable: Cause = {
  id: 'node-unreachable',
  title: 'a node does not answer by ssh, or not in time',
  needs: ['facts', 'dials'],
  why: 'it may be off or cut off; nothing on {nodes} could be looked at',
  explanation: `Off, cut off, or only its sshd: what the other nodes get when they dial its apiserver tells the difference.`,
  run: 'ssh -v {node}    (and its console; a slow way or a busy machine: hairpin doctor --timeout 30s)',
  general: true,
  produced: 'scenario',
  signs: [],
  judge: (live) =>
    live.nodes
      .filter(({ unreachable }) => unreachable)
      .flatMap((node): Sighting[] => {
        const { name } = node.spec;
        const report = live.facts.nodes.find((one) => one.node === name);
        const late = report?.is === 'unreachable' && report.code === 'NODE_TIMEOUT';
        const dials = dialsAt(live, name);
        const answered = dials.some((one) => one.dials.answered > 0);
        const others =
          dials.length === 0
            ? ''
            : answered
              ? '; its apiserver answers the other nodes'
              : '; its apiserver answers nobody either';
        const saw = `${node.missing[0] ?? 'no answer'}${others}`;
        // Late is not gone: it may be this machine that is busy, or the way that is long. What nobody saw is told as missing.
        if (late && (dials.length === 0 || answered)) return [];
        return [{ node: name, confidence: 'certain', saw }];
      }),
};
