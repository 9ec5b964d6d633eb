import { describe, expect, test } from 'vitest';
import { judgeInotify } from '../../../../src/lab/nspawn/inotify.ts';

describe('judgeInotify()', () => {
  test.each([
    { name: 'an idle machine has room for one cluster', inUse: 0, is: 'ok' },
    { name: 'the last instance may be taken', inUse: 42, is: 'ok' },
    { name: 'beside another cluster nodes boot and a cluster may not', inUse: 43, is: 'warning' },
    { name: 'what just boots is not refused', inUse: 104, is: 'warning' },
    { name: 'what cannot boot is refused', inUse: 105, is: 'refused' },
  ])('$name', ({ inUse, is }) => {
    expect(judgeInotify({ limit: 128, inUse, toBoot: 24, withCluster: 86 }).is).toBe(is);
  });

  test('says how many there are, how many are in use and how many are needed', () => {
    expect(judgeInotify({ limit: 128, inUse: 120, toBoot: 24, withCluster: 86 })).toEqual({
      is: 'refused',
      text: 'The nodes cannot boot: root may have 128 inotify instances on this machine, and 120 are in use; they need 24',
    });
  });
});
