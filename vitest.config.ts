import { defineConfig } from 'vitest/config';

// Four tiers, as CONTRIBUTING.md explains: unit needs no root; wire makes network namespaces;
// node boots systemd-nspawn nodes; long is never part of `make test`.
const tier = (name: string, timeout: number, extra: Record<string, unknown> = {}) => ({
  test: { name, include: [`test/${name}/**/*.test.ts`], testTimeout: timeout, hookTimeout: timeout, ...extra },
});

// Lab tests share the machine's two cores: one file at a time, so that a timing verdict is about the lab. They judge real
// time, and a machine that stalls for a moment fails them: such a test gets two more tries, which the report shows.
const alone = { fileParallelism: false, maxWorkers: 1, retry: 2 };

export default defineConfig({
  test: {
    projects: [
      tier('unit', 20_000),
      tier('wire', 180_000, alone),
      tier('node', 900_000, alone),
      tier('long', 5_400_000, alone),
    ],
  },
});
