import type { Cause } from '../cause.ts';
import { dialsAt, each } from './help.ts';

export const nodeUnreachable: Cause = {
  id: 'node-unreachable',
  title: 'a node does not answer by ssh',
  needs: ['facts', 'dials'],
  why: 'it may be off or cut off; nothing on {nodes} could be looked at',
  explanation: `Off, cut off, or only its sshd: what the other nodes get when they dial its apiserver tells the difference.`,
  run: 'ssh -v {node}; see its console',
  general: true,
  produced: 'lab',
  signs: [],
  judge: (live) =>
    each(
      live.nodes.filter(({ unreachable }) => unreachable),
      'certain',
      (node) => {
        const dials = dialsAt(live, node.spec.name);
        const answered = dials.some((one) => one.dials.answered > 0);
        const others =
          dials.length === 0
            ? ''
            : answered
              ? '; its apiserver answers the other nodes'
              : '; its apiserver answers nobody either';
        return `${node.missing[0] ?? 'no answer'}${others}`;
      },
    ),
};
