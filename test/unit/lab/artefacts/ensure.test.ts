import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { ensureArtefacts } from '../../../../src/lab/artefacts/artefacts.ts';
import { takeLock } from '../../../../src/lab/cache/lock.ts';
import { silent } from '../../../../src/report/event.ts';

let cache = '';
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), 'hairpin-ensure-'));
  // No network: neither the release site nor the module registry.
  vi.stubEnv('HAIRPIN_RELEASE_SITE', 'http://127.0.0.1:9');
  vi.stubEnv('GOPROXY', 'off');
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true, force: true });
});

test('a version that does not exist is refused at once, even while another build holds the lock', async () => {
  const signal = AbortSignal.timeout(10_000);
  await using _held = await takeLock(join(cache, 'artefacts/lock'), 'a long build', { emit: silent, signal });
  await expect(ensureArtefacts('latest', { emit: silent, signal, cache })).rejects.toMatchObject({
    code: expect.stringMatching(/^(KUBERNETES_VERSION_UNKNOWN|ARTEFACT_NO_SOURCE)$/),
  });
});

test('a version cannot lead out of the cache', async () => {
  const signal = AbortSignal.timeout(10_000);
  await expect(ensureArtefacts('../../etc', { emit: silent, signal, cache })).rejects.toMatchObject({
    code: expect.stringMatching(/^(KUBERNETES_VERSION_UNKNOWN|ARTEFACT_NO_SOURCE)$/),
  });
});
