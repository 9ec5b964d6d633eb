import { type Address, type Family, parseAddress } from '../../std/address.ts';
import type { Ran, RunTool } from './run-tool.ts';
import type { Settings } from './settings.ts';

/** The routing protocol number of routes that are ours: only those are ever removed. The static form of steering uses the same. */
export const routeProtocol = '117';

/** What the steering table depends on and the node may change under our feet. */
export interface Network {
  readonly uplinks: readonly string[];
  /** Addresses that kube-proxy in IPVS mode has taken. */
  readonly ipvs: readonly Address[];
  /** By backend: the source that the kernel would choose for it. */
  readonly sources: ReadonlyMap<string, Address>;
}

/** Looks at routes and addresses. A master without a route simply has no entry. */
export async function lookAtNetwork(settings: Settings, run: RunTool): Promise<Network> {
  const families = ([4, 6] as const).filter((f) => settings.node.some((a) => a.family === f));
  const [ipvs, defaults, routes] = await Promise.all([
    run(['ip', '-json', 'address', 'show', 'dev', 'kube-ipvs0']),
    Promise.all(families.map((f) => run(['ip', `-${f}`, '-json', 'route', 'show', 'default']))),
    Promise.all(
      settings.masters.map(async (to) => ({ to, route: firstOf(await run(['ip', '-json', 'route', 'get', to.text])) })),
    ),
  ]);
  const found = uplinksOf([
    ...defaults.flatMap(rows),
    ...routes.flatMap(({ route }) => (route === undefined ? [] : [route])),
  ]);
  return {
    // Never none: then everything that comes in would be steered, what the balancer sends as well.
    uplinks: settings.uplinks === 'auto' ? (found.length === 0 ? [settings.device] : found) : settings.uplinks,
    ipvs: rows(ipvs).flatMap((row) => addressesOf(row)),
    sources: new Map(
      routes.flatMap(({ to, route }) => {
        const source = typeof route?.prefsrc === 'string' ? parseAddress(route.prefsrc) : undefined;
        return source === undefined ? [] : [[to.text, source] as const];
      }),
    ),
  };
}

/** The source that the kernel would choose for packets to an address. */
export async function sourceOf(to: Address, run: RunTool): Promise<Address | undefined> {
  const route = firstOf(await run(['ip', '-json', 'route', 'get', to.text]));
  return typeof route?.prefsrc === 'string' ? parseAddress(route.prefsrc) : undefined;
}

/** The devices of default routes and of routes to other machines; `lo` never: that is how a node reaches itself. */
export function uplinksOf(routes: readonly Row[]): readonly string[] {
  const devices = routes.flatMap((route) => [
    route.dev,
    ...(Array.isArray(route.nexthops) ? route.nexthops.map((hop: unknown) => (hop as Row | null)?.dev) : []),
  ]);
  return [...new Set(devices.filter((dev) => typeof dev === 'string' && dev !== 'lo' && /^[\w.@-]{1,15}$/.test(dev)))]
    .map(String)
    .toSorted();
}

/**
 * A route to the endpoint where there is none: without one connect() fails before any rule is asked. Ours goes again when
 * somebody else's covers the endpoint, which would otherwise be hidden by it. A text for what could not be done.
 */
export async function keepRoute(endpoint: Address, device: string, run: RunTool): Promise<string | undefined> {
  const shown = rows(await run(['ip', `-${endpoint.family}`, '-json', 'route', 'show', 'match', endpoint.text]));
  const ours = shown.filter(isOurs);
  const others = shown.filter((row) => !isOurs(row));
  if (ours.length > 0) {
    if (others.length > 0) await removeRoute(endpoint, run);
    return undefined;
  }
  if (others.length > 0 || firstOf(await run(['ip', '-json', 'route', 'get', endpoint.text])) !== undefined) {
    return undefined;
  }
  const added = await run(['ip', `-${endpoint.family}`, 'route', 'add', ...ourRoute(endpoint), 'dev', device]);
  return added.code === 0 || added.stderr.includes('File exists')
    ? undefined
    : `no route to ${endpoint.text} and none could be added by ${device}: ${added.stderr}`;
}

/** Removes our route to one endpoint; true when there was one. */
export async function removeRoute(endpoint: Address, run: RunTool): Promise<boolean> {
  return (await run(['ip', `-${endpoint.family}`, 'route', 'delete', ...ourRoute(endpoint)])).code === 0;
}

/** Every route that is ours, whichever endpoint it once was for. */
export async function ourRoutes(family: Family, run: RunTool): Promise<readonly Address[]> {
  const shown = rows(await run(['ip', `-${family}`, '-json', 'route', 'show', 'proto', routeProtocol]));
  return shown.flatMap((row) => (typeof row.dst === 'string' ? (parseAddress(row.dst) ?? []) : []));
}

function ourRoute(endpoint: Address): readonly string[] {
  return [`${endpoint.text}/${endpoint.family === 4 ? 32 : 128}`, 'proto', routeProtocol];
}

type Row = Readonly<Record<string, unknown>>;

function isOurs(row: Row): boolean {
  return String(row.protocol) === routeProtocol;
}

function addressesOf(row: Row): readonly Address[] {
  const infos: readonly unknown[] = Array.isArray(row.addr_info) ? row.addr_info : [];
  return infos.flatMap((info) => parseAddress(String((info as Row | null)?.local)) ?? []);
}

function firstOf(ran: Ran): Row | undefined {
  return rows(ran)[0];
}

function rows({ code, stdout }: Ran): readonly Row[] {
  if (code !== 0) return [];
  try {
    const parsed: unknown = JSON.parse(stdout === '' ? '[]' : stdout);
    return Array.isArray(parsed)
      ? parsed.filter((row): row is Row => typeof row === 'object' && row !== null && !Array.isArray(row))
      : [];
  } catch {
    return [];
  }
}
