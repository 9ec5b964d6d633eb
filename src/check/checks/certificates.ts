import { formatDuration } from '../../std/duration.ts';
import type { Check } from '../check.ts';

// kubeadm's certificates live a year and `kubeadm upgrade` renews them; a month is time enough to do it by hand.
const soon = 30 * 24 * 3_600_000;

export const certificates: Check = {
  name: 'certificates',
  title: 'no certificate expires within 30 days',
  fromFacts: true,
  ask: async (cx) => {
    const all = cx.facts.nodes.flatMap((report) =>
      report.is === 'seen' && report.facts.certificates.is === 'known'
        ? report.facts.certificates.value.map((certificate) => ({
            where: `${report.node}:${certificate.path}`,
            left: Date.parse(certificate.notAfter) - cx.now.getTime(),
          }))
        : [],
    );
    const first = all.toSorted((a, b) => a.left - b.left)[0];
    if (first === undefined) return { is: 'skip', reason: 'no certificate could be read' };
    const when = first.left < 0 ? 'has expired' : `expires in ${days(first.left)}`;
    if (first.left > soon) return { is: 'ok', saw: `the first one ${when}` };
    return { is: 'not-ok', want: 'more than 30 days left', saw: `${first.where} ${when}` };
  },
};

export function days(ms: number): string {
  const n = Math.floor(ms / 86_400_000);
  return n === 0 ? formatDuration(ms) : `${n} day${n === 1 ? '' : 's'}`;
}
