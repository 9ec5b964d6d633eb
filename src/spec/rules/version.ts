import { atLeast } from '../../std/version.ts';
import type { PlacedFinding, Rule } from './rule.ts';

const oldest = { minor: 14, why: 'certificates are shared between masters by kubeadm since v1.14' };
/** The newest minor whose kubeadm somebody ran with this program. */
const newest = 37;

export const version: Rule = {
  name: 'version',
  holds: 'hairpin knows the Kubernetes version, and it can do what the spec asks for',
  codes: ['SPEC_VERSION_FEATURE', 'SPEC_VERSION_UNKNOWN', 'SPEC_VERSION_UNSUPPORTED'],
  reads: ['kubernetes'],
  check({ spec }) {
    const { version: v, podSubnets, serviceSubnets } = spec.kubernetes;
    const at = ['spec', 'kubernetes', 'version'];
    const found: PlacedFinding[] = [];
    if (v.major !== 1 || v.minor < oldest.minor) {
      const problem = `${v.text} is not supported`;
      found.push({
        at,
        code: 'SPEC_VERSION_UNSUPPORTED',
        problem,
        expected: `v1.${oldest.minor}.0 or newer`,
        hint: oldest.why,
      });
      return found;
    }
    if (v.minor > newest) {
      found.push({
        at,
        code: 'SPEC_VERSION_UNKNOWN',
        severity: 'warning',
        problem: `${v.text} is newer than anything this program was run with (v1.${newest}); what kubeadm dials is assumed to be the same`,
      });
    }
    const dual = Math.max(podSubnets.length, serviceSubnets.length) > 1;
    if (dual && !atLeast(v, 1, 21)) {
      found.push({
        at,
        code: 'SPEC_VERSION_FEATURE',
        problem: `${v.text} has dual stack behind a feature gate, with another configuration`,
        expected: 'v1.21.0 or newer, or subnets of one family',
      });
    } else if (!dual && podSubnets[0]?.base.family === 6 && !atLeast(v, 1, 18)) {
      const problem = `IPv6-only clusters are not tested by Kubernetes before v1.18`;
      found.push({ at, code: 'SPEC_VERSION_FEATURE', severity: 'warning', problem, expected: 'v1.18.0 or newer' });
    }
    return found;
  },
};
