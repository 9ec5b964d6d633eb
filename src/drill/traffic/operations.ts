import { monotonicMs } from '../history/clock.ts';
import type { DrillRecord, Operation } from '../history/record.ts';
import { type Ask, createAsker, type Reply } from './asker.ts';
import type { TrafficConfig } from './config.ts';
import { pause } from './pause.ts';
import type { Target } from './target.ts';

type Operations = NonNullable<TrafficConfig['operations']>;

/** A list carries the whole set, so it is asked for once in so many turns, and once more at the end. */
const listEvery = 20;

/**
 * Writes and reads back, one operation at a time: a register (a config map that is written whole) and a set (a config
 * map for each element). What was asked and never answered is `unknown`: it may take effect later.
 */
export async function keepOperating(
  config: TrafficConfig,
  target: Target,
  say: (record: DrillRecord) => void,
  signal: AbortSignal,
): Promise<void> {
  const { operations } = config;
  if (operations === undefined) return;
  const asker = createAsker(config.host, target, operations.patienceMs);
  // The first client makes the register; the others are told that it exists. No value of it is anybody's write.
  await asker.ask('POST', operations.path, JSON.stringify(configMap(operations.register, { value: 'initial' })));
  let due = monotonicMs();
  for (let turn = 0; !signal.aborted; turn += 1) {
    say(await operate(config.client, operations, turnOf(turn), turn, asker.ask));
    due = Math.max(due + 1000 / operations.perSecond, monotonicMs());
    await pause(due - monotonicMs(), signal);
  }
  say(await operate(config.client, operations, 'read', -1, asker.ask));
  say(await operate(config.client, operations, 'list', -1, asker.ask));
  asker.close();
}

function turnOf(turn: number): Operation['does']['op'] {
  if (turn % listEvery === listEvery - 1) return 'list';
  return (['write', 'read', 'add', 'read'] as const)[turn % 4] ?? 'read';
}

interface ConfigMap {
  readonly metadata?: { readonly name?: string; readonly resourceVersion?: string };
  readonly data?: { readonly value?: string; readonly element?: string };
}

async function operate(
  client: string,
  { path, register, set }: Operations,
  op: Operation['does']['op'],
  turn: number,
  ask: Ask,
): Promise<Operation> {
  const startedAt = monotonicMs();
  const about = (object: string, reply: Reply | undefined) => ({
    is: 'operation' as const,
    client,
    object,
    startedAt,
    endedAt: monotonicMs(),
    result: resultOf(reply),
  });
  const unique = `${client.replaceAll(/[^a-z0-9]+/g, '-')}-${turn}`;
  switch (op) {
    case 'write': {
      const body = JSON.stringify(configMap(register, { value: unique }));
      const reply = await ask('PUT', `${path}/${register}`, body);
      return { ...about(register, reply), does: { op, value: unique }, ...versionOf(reply) };
    }
    case 'read': {
      const reply = await ask('GET', `${path}/${register}`);
      const value = okBody<ConfigMap>(reply)?.data?.value;
      return { ...about(register, reply), does: value === undefined ? { op } : { op, value } };
    }
    case 'add': {
      const body = JSON.stringify(configMap(`${set}-${unique}`, { element: unique }, { 'hairpin-set': set }));
      const reply = await ask('POST', path, body);
      return { ...about(set, reply), does: { op, element: unique }, ...versionOf(reply) };
    }
    case 'list': {
      const reply = await ask('GET', `${path}?labelSelector=hairpin-set%3D${set}`);
      const items = okBody<{ readonly items: readonly ConfigMap[] }>(reply)?.items;
      const elements = items?.flatMap(({ data }) => (data?.element === undefined ? [] : [data.element]));
      return { ...about(set, reply), does: elements === undefined ? { op } : { op, elements } };
    }
  }
}

function configMap(
  name: string,
  data: Readonly<Record<string, string>>,
  labels: Readonly<Record<string, string>> = {},
) {
  // By this label the next drill finds what this one wrote, and takes it away.
  const metadata = { name, labels: { 'hairpin-drill': 'yes', ...labels } };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
}

/** A server that answers 5xx may have done it all the same; one that says 4xx has not. */
function resultOf(reply: Reply | undefined): Operation['result'] {
  if (reply === undefined || reply.status >= 500) return 'unknown';
  return reply.status < 300 ? 'ok' : 'failed';
}

function okBody<Body>(reply: Reply | undefined): Body | undefined {
  return reply !== undefined && reply.status < 300 ? (JSON.parse(reply.body) as Body) : undefined;
}

function versionOf(reply: Reply | undefined): { readonly version?: number } {
  const version = okBody<ConfigMap>(reply)?.metadata?.resourceVersion;
  return version === undefined ? {} : { version: Number(version) };
}
