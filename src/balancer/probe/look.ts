import { OperatorError } from '../../errors/operator-error.ts';
import { type Ask, emptyAsk } from '../../facts/probe.ts';
import { factsScript, parseFacts } from '../../facts/script.ts';
import type { Address } from '../../std/address.ts';
import type { ProbeNode, ProbeRequest } from './run-probe.ts';

/** One node before the probe: who it is, whom it would dial, and whether it serves already. */
export interface Look {
  readonly name: string;
  readonly role: 'control-plane' | 'worker';
  readonly failed: string | undefined;
  readonly own: readonly Address[];
  readonly lookup: readonly Address[] | undefined;
  readonly lookupFromHosts: boolean;
  readonly route: 'unicast' | 'local' | 'none';
  /** Something listens on the backend port. */
  readonly serving: boolean;
}

const wanted = ['interfaces', 'endpointRoutes', 'endpointLookup', 'listening'] as const;

export async function lookAt(
  one: ProbeNode,
  request: ProbeRequest,
  addresses: readonly Address[],
  signal: AbortSignal,
): Promise<Look> {
  const { name } = one.node;
  const { endpoint, backendPort } = request;
  const ask: Ask = {
    ...emptyAsk,
    endpointAddresses: addresses,
    endpointNames: endpoint.domain === undefined ? [] : [endpoint.domain],
  };
  const empty = {
    name,
    role: one.role,
    own: [],
    lookup: undefined,
    lookupFromHosts: false,
    route: 'unicast',
    serving: false,
  } as const;
  try {
    const result = await one.node.probe(['sh', '-c', factsScript(ask, wanted), 'hairpin-look'], {
      signal,
      timeout: 20_000,
    });
    const facts = parseFacts(result.stdout, ask);
    const { interfaces, endpointRoutes, endpointLookup, listening } = facts;
    if (interfaces.is === 'unknown') return { ...empty, failed: `its addresses are not known: ${interfaces.reason}` };
    const lookup = endpointLookup.is === 'known' ? endpointLookup.value[0] : undefined;
    const routes = endpointRoutes.is === 'known' ? endpointRoutes.value : [];
    return {
      ...empty,
      failed: undefined,
      own: interfaces.value.filter((i) => !i.loopback).flatMap((i) => i.addresses.map((a) => a.address)),
      lookup: lookup?.addresses,
      lookupFromHosts: lookup?.fromHosts === true,
      route: routes.find((route) => route.is !== 'unicast')?.is ?? 'unicast',
      serving:
        listening.is === 'known' &&
        listening.value.some((l) => l.protocol === 'tcp' && l.port === backendPort && l.address !== '127.0.0.1'),
    };
  } catch (error) {
    if (signal.aborted || !(error instanceof OperatorError)) throw error;
    return { ...empty, failed: error.message };
  }
}
