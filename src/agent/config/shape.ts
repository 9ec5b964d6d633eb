import { parseAddress } from '../../std/address.ts';
import { either, exactly, flag, integer, list, oneOf, optional, type Shape, text, textOf } from '../../std/shape.ts';
import type { AgentConfig } from './config.ts';

const addressText = text((value) => parseAddress(value)?.text === value);
const port = integer(1, 65_535);
const path = text((value) => value.startsWith('/'));
const device = text((value) => /^[\w.@-]{1,15}$/.test(value));
const node = { name: textOf(1, 253), addresses: list(addressText, 1, 8) };

/**
 * What `agentConfigSchema` accepts, without the schema's library; `test/unit/agent/config.test.ts` holds the two together.
 */
export const agentConfigShape: Shape<AgentConfig> = exactly({
  version: oneOf(1),
  node: exactly({ ...node, role: oneOf('control-plane', 'worker') }),
  endpoint: exactly({ host: textOf(1, 253), addresses: list(addressText, 0, 16), port }),
  apiServerPort: port,
  masters: list(exactly(node), 0, 64),
  draining: optional(list(textOf(1, 253), 0, 64)),
  steer: flag,
  device,
  uplinks: either(oneOf('auto'), list(device, 0, 64)),
  ca: list(path, 1),
  kubeconfig: optional(path),
  dns: optional(list(text(), 0, 8)),
  metrics: optional(exactly({ port })),
  mirror: optional(exactly({ port })),
});
