import type { Rule } from './rule.ts';
import { count } from './words.ts';

/** etcd needs more than half of its members: 2 masters are worse than 1, and 4 survive no more than 3. */
export const controlPlane: Rule = {
  name: 'control-plane',
  holds:
    'there is a control-plane node, and their number is odd and at most 7 (a warning otherwise: etcd decides by majority)',
  codes: ['SPEC_MASTERS_EVEN', 'SPEC_MASTERS_MANY', 'SPEC_NO_CONTROL_PLANE'],
  reads: ['nodes'],
  check({ spec }) {
    const n = spec.nodes.filter((node) => node.role === 'control-plane').length;
    const at = ['spec', 'nodes'];
    if (n === 0) {
      const problem = `none of ${count(spec.nodes.length, 'node')} has the role control-plane`;
      return [{ at, code: 'SPEC_NO_CONTROL_PLANE', problem, expected: 'at least 1, better 3' }];
    }
    if (n % 2 === 0) {
      const quorum = n / 2 + 1;
      const survives = n - quorum;
      const compared =
        survives === 0
          ? 'the cluster stops when either of them stops: worse than 1 master'
          : `it survives the loss of ${survives}, as ${n - 1} masters do, and has one more that can fail`;
      return [
        {
          at,
          code: 'SPEC_MASTERS_EVEN',
          severity: 'warning',
          problem: `${n} masters: etcd needs ${quorum} of ${n}, so ${compared}`,
          expected: n === 2 ? '1 or 3' : `${n - 1} or ${n + 1}`,
        },
      ];
    }
    if (n > 7) {
      const problem = `${n} masters: every write waits for ${(n + 1) / 2} of ${n} etcd members`;
      return [{ at, code: 'SPEC_MASTERS_MANY', severity: 'warning', problem, expected: '3, 5 or 7' }];
    }
    return [];
  },
};
