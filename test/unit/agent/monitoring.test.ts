import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { agentMetrics } from '../../../src/agent/metrics/metrics.ts';
import type { AgentStatus } from '../../../src/agent/status/document.ts';
import { repoRoot } from '../../support/imports.ts';

interface Rules {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}
interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

const read = (name: string) => readFileSync(join(repoRoot, 'deploy/monitoring', name), 'utf8');
const alerts = (parse(read('alerts.yaml')) as Rules).groups.flatMap((group) => group.rules);
const { panels } = JSON.parse(read('dashboard.json')) as Dashboard;
const exprs = [...alerts.map((rule) => rule.expr), ...panels.flatMap((panel) => panel.targets.map((t) => t.expr))];
const used = [...new Set(exprs.flatMap((expr) => expr.match(/hairpin_\w+/g) ?? []))].toSorted();

test('every metric that alerts and dashboard name is one that the agent has', () => {
  const status = {
    program: 'x',
    node: { name: 'm1', role: 'control-plane' },
    config: { problems: [] },
    inForce: null,
    steerer: { up: true },
    table: { renewing: false, renewedMsAgo: null },
    backends: [],
    membership: { answeredMsAgo: null },
    lag: { worstOfMinuteMs: 0 },
    counters: { switches: 0, repairs: 0 },
  } as unknown as AgentStatus;
  const text = agentMetrics(() => status).text();
  const there = new Set(
    [...text.matchAll(/^# TYPE (\w+) (\w+)/gm)].flatMap(([, name = '', type]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    ),
  );
  expect(used.length).toBeGreaterThan(12);
  expect(used.filter((name) => !there.has(name))).toEqual([]);
});

test('every alert has a name of its own and says what it is about', () => {
  expect(new Set(alerts.map((rule) => rule.alert)).size).toBe(alerts.length);
  for (const rule of alerts) expect(rule).toMatchObject({ annotations: { summary: expect.any(String) } });
});
