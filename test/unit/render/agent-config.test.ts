import { describe, expect, test } from 'vitest';
import { readAgentConfig } from '../../../src/agent/config/read-config.ts';
import { parseSettings } from '../../../src/agent/steerer/settings.ts';
import { renderCluster } from '../../../src/cluster-plan.ts';
import { program } from '../../support/facts.ts';
import { renderCases } from '../../support/render-cases.ts';

describe('every agent.json that is rendered is one that the agent takes', () => {
  test.each(renderCases.filter(({ name }) => name.startsWith('steer')))('$name', async ({ spec, behaviour }) => {
    const { nodes } = renderCluster(spec, { behaviour, program });
    const configs = nodes.flatMap(({ files }) => files.filter(({ path }) => path === '/etc/hairpin/agent.json'));
    const workers = spec.strategy.name === 'steer' && spec.strategy.workers;
    expect(configs).toHaveLength(workers ? 4 : 3);
    for (const { path, content } of configs) {
      expect(await readAgentConfig(content, path)).toMatchObject({ ok: true });
      expect(() => parseSettings(content, path)).not.toThrow();
    }
  });
});
