import { expect, test } from 'vitest';
import { underSaturation } from '../support/pressure.ts';

test('five minutes with both cores taken and all apiservers well: no flow is cut, and foreign listings are not slowed', async () => {
  expect(await underSaturation('steerer-busy', { forMs: 300_000 })).toEqual({ cut: [], resets: 0 });
});
