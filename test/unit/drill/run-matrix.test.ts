import { expect, test } from 'vitest';
import type { Cell } from '../../../src/drill/matrix/cell.ts';
import type { MatrixGroup } from '../../../src/drill/matrix/plan.ts';
import { type MatrixLab, type MatrixLabs, type OpenedLab, runMatrix } from '../../../src/drill/matrix/run-matrix.ts';
import { variants } from '../../../src/drill/matrix/variants.ts';
import { OperatorError } from '../../../src/errors/operator-error.ts';
import { silent } from '../../../src/report/event.ts';

const group = (name: string, preset = 'alibaba-clb'): MatrixGroup => {
  const variant = variants.find((each) => each.name === name);
  if (variant === undefined) throw new Error(`there is no ${name}`);
  return {
    variant,
    preset,
    balancer: undefined,
    faults: [
      { name: 'nothing', forMs: 3000 },
      { name: 'apiserver-killed', forMs: 3000 },
    ],
  };
};

/** Labs that are opened, and what became of them. */
function fakeLabs(open: (group: MatrixGroup) => OpenedLab | Promise<OpenedLab>) {
  const told = { prepared: 0, opened: 0, closed: 0 };
  const neverSteady: MatrixLab = {
    site: undefined as never,
    target: async () => 'm1',
    clients: async () => [],
    steady: async () => {
      throw new OperatorError('DRILL_UNHEALTHY', 'the balancer does not take all masters back');
    },
    async [Symbol.asyncDispose]() {
      told.closed += 1;
    },
  };
  const labs: MatrixLabs = {
    tier: 'wire',
    async prepare(groups) {
      told.prepared = groups.length;
    },
    async open(wanted) {
      told.opened += 1;
      return await open(wanted);
    },
  };
  return { labs, told, neverSteady };
}

const run = async (
  labs: MatrixLabs,
  groups: readonly MatrixGroup[],
  done: readonly Cell[] = [],
  signal?: AbortSignal,
) => {
  const cells: Cell[] = [];
  await runMatrix({
    groups,
    labs,
    done,
    parallel: 2,
    perSecond: 6,
    emit: silent,
    signal: signal ?? new AbortController().signal,
    now: () => new Date(0),
    onCell: async (cell) => void cells.push(cell),
  });
  return cells;
};

test('what plan refuses, what does not come up and what is never steady is written down, and ends nothing else', async () => {
  const { labs, told, neverSteady } = fakeLabs(({ variant }) => {
    if (variant.name === 'bind-vip') return { is: 'refused', reason: 'a name has two addresses' };
    if (variant.name === 'hosts') throw new OperatorError('LAB_DAEMON_DOWN', 'The balancer did not answer within 15 s');
    return { is: 'open', lab: neverSteady };
  });
  const cells = await run(labs, [group('bind-vip'), group('hosts'), group('direct')]);
  const last = new Map(
    cells.map((cell) => [`${cell.variant},${cell.fault}`, `${cell.is}: ${cell.reasons.join('; ')}`]),
  );
  expect(Object.fromEntries([...last].toSorted())).toEqual({
    'bind-vip,apiserver-killed': 'refused: a name has two addresses',
    'bind-vip,nothing': 'refused: a name has two addresses',
    'direct,apiserver-killed': 'bad: not steady: the balancer does not take all masters back',
    'direct,nothing': 'bad: not steady: the balancer does not take all masters back',
    'hosts,apiserver-killed': 'bad: no lab: The balancer did not answer within 15 s',
    'hosts,nothing': 'bad: no lab: The balancer did not answer within 15 s',
  });
  // Twice each but the refused one; every lab that was opened is closed.
  expect(told).toEqual({ prepared: 3, opened: 5, closed: 2 });
});

test('good and refused cells are not made again, bad ones are', async () => {
  const { labs, told } = fakeLabs(() => ({ is: 'refused', reason: 'no' }));
  const [nothing, killed] = await run(labs, [group('bind-vip')]);
  if (nothing === undefined || killed === undefined) throw new Error('no cells');
  expect(await run(labs, [group('bind-vip')], [{ ...nothing, is: 'measured' }, killed])).toEqual([]);
  expect(told.opened).toBe(1);
  await run(labs, [group('bind-vip')], [nothing, { ...killed, is: 'bad' }]);
  expect(told.opened).toBe(2);
});

test('who is stopped while a lab comes up opens no more and says so', async () => {
  const stop = new AbortController();
  const { labs, told } = fakeLabs(async () => {
    stop.abort(new Error('stopped'));
    throw new Error('stopped');
  });
  await expect(
    run(labs, [group('bind-vip'), group('hosts'), group('direct'), group('steer')], [], stop.signal),
  ).rejects.toThrow('stopped');
  expect(told.opened).toBeLessThanOrEqual(2);
});
