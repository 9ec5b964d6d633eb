import { test } from 'vitest';
import { underSaturation } from '../support/pressure.ts';

test('five minutes with both cores taken and all apiservers well: no flow is cut, and foreign listings are not slowed', async () => {
  await underSaturation('steerer-busy', { forMs: 300_000 });
});
