import { OperatorError } from '../../errors/operator-error.ts';
import { type Address, parseAddress } from '../../std/address.ts';
import type { AgentConfig } from '../config/config.ts';

/** What the steerer needs of /etc/hairpin/agent.json, with addresses that are addresses. */
export interface Settings {
  readonly node: readonly Address[];
  readonly role: AgentConfig['node']['role'];
  /** Every address of every master. */
  readonly masters: readonly Address[];
  /** Fixed addresses of the endpoint; empty: it is a name, and the prober says what it resolves to. */
  readonly endpoints: readonly Address[];
  readonly port: number;
  readonly apiServerPort: number;
  readonly steer: boolean;
  readonly device: string;
  readonly uplinks: 'auto' | readonly string[];
  readonly kubeconfig: string | undefined;
}

/**
 * Reads the configuration without the schema's library, which would be a third of the steerer's memory; the same file is
 * read with the whole schema by the prober, and by `up` before it is written. Throws `OperatorError` naming the key.
 */
export function parseSettings(text: string, path: string): Settings {
  const wrong = (key: string, want: string): never => {
    throw new OperatorError('AGENT_CONFIG', `${path}: ${key}: not ${want}`, {
      hint: 'write it anew: hairpin agent install',
    });
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new OperatorError('AGENT_CONFIG', `${path} is not JSON`, {
      cause,
      hint: 'write it anew: hairpin agent install',
    });
  }
  const root = record(value) ?? wrong('the file', 'a JSON object');
  if (root.version !== 1) wrong('version', '1, the only one that this version of hairpin reads');
  const node = record(root.node) ?? wrong('node', 'an object');
  const endpoint = record(root.endpoint) ?? wrong('endpoint', 'an object');
  const list = (at: unknown, key: string): readonly Address[] =>
    (Array.isArray(at) ? at : wrong(key, 'a list')).map(
      (each: unknown) =>
        (typeof each === 'string' ? canonical(each) : undefined) ??
        wrong(key, 'a list of IP addresses in canonical form'),
    );
  const port = (at: unknown, key: string): number =>
    typeof at === 'number' && Number.isInteger(at) && at >= 1 && at <= 65_535 ? at : wrong(key, 'a port');
  const device = (at: unknown, key: string): string =>
    typeof at === 'string' && /^[\w.@-]{1,15}$/.test(at) ? at : wrong(key, 'the name of an interface');
  const role = node.role === 'control-plane' || node.role === 'worker' ? node.role : wrong('node.role', 'a role');
  return {
    node: list(node.addresses, 'node.addresses'),
    role,
    masters: (Array.isArray(root.masters) ? root.masters : wrong('masters', 'a list')).flatMap((each: unknown) =>
      list(record(each)?.addresses, 'masters.addresses'),
    ),
    endpoints: list(endpoint.addresses, 'endpoint.addresses'),
    port: port(endpoint.port, 'endpoint.port'),
    apiServerPort: port(root.apiServerPort, 'apiServerPort'),
    steer: typeof root.steer === 'boolean' ? root.steer : wrong('steer', 'a boolean'),
    device: device(root.device, 'device'),
    uplinks:
      root.uplinks === 'auto'
        ? 'auto'
        : (Array.isArray(root.uplinks) ? root.uplinks : wrong('uplinks', 'auto or a list')).map((each: unknown) =>
            device(each, 'uplinks'),
          ),
    kubeconfig:
      root.kubeconfig === undefined || (typeof root.kubeconfig === 'string' && root.kubeconfig.startsWith('/'))
        ? root.kubeconfig
        : wrong('kubeconfig', 'an absolute path'),
  };
}

function canonical(text: string): Address | undefined {
  const parsed = parseAddress(text);
  return parsed?.text === text ? parsed : undefined;
}

function record(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
