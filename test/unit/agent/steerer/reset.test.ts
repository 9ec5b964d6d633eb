import { expect, test } from 'vitest';
import { resetFlows } from '../../../../src/agent/steerer/reset.ts';
import type { Ran } from '../../../../src/agent/steerer/run-tool.ts';
import { address } from '../../../../src/std/address.ts';

const of = { backend: address('10.0.0.2'), endpoints: [address('10.9.9.9')], port: 6443, apiServerPort: 6443 };
/** Two flows of a pod, as `conntrack -L` of conntrack-tools 1.4.7 shows them. */
const listing = [40_001, 40_002]
  .map(
    (port) =>
      `tcp      6 86397 ESTABLISHED src=10.244.0.5 dst=10.9.9.9 sport=${port} dport=6443 src=10.0.0.2 dst=10.0.0.1 sport=6443 dport=${port} [ASSURED] mark=0 use=1\n`,
  )
  .join('');

async function reset(list: Ran, closedInPods: number) {
  const ran: string[] = [];
  const answer = await resetFlows(of, {
    run: async ([file, what = '']) => {
      ran.push(`${file} ${what}`);
      return what === '-L' ? list : { code: 0, stdout: '', stderr: '' };
    },
    pods: async () => closedInPods,
    now: () => 0,
    random: () => 0,
    patience: 0,
  });
  return { answer, ran };
}

test('a listing that was cut short is no proof that there were no flows', async () => {
  const { answer, ran } = await reset({ code: 124, stdout: '', stderr: 'conntrack did not end within 10000 ms' }, 0);
  expect([answer, ran]).toEqual([
    {
      ok: false,
      problem: 'flows to 10.0.0.2 are left to their own time-outs: conntrack: conntrack did not end within 10000 ms',
    },
    ['conntrack -L'],
  ]);
});

test.each([
  { name: 'all flows are closed: the table is not looked through again', closed: 2, ran: ['conntrack -L'] },
  { name: 'one could not be closed: its entry is deleted', closed: 1, ran: ['conntrack -L', 'conntrack -D'] },
])('$name', async ({ closed, ran }) => {
  expect(await reset({ code: 0, stdout: listing, stderr: '' }, closed)).toEqual({
    answer: { ok: true, node: 0, pods: closed, ms: 0 },
    ran,
  });
});
