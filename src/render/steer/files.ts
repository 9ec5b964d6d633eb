import type { SpecNode } from '../../spec/spec.ts';
import { type Address, type Family, formatHostPort } from '../../std/address.ts';
import { quoteArg } from '../../std/quote.ts';
import type { WantedFile } from '../../strategy/strategy.ts';
import { renderSteerTable } from '../nftables/steer.ts';
import { renderUnit, unitPath, writtenBy } from '../systemd/unit.ts';
import { steerConfPath, steerScript, steerScriptPath, steerTablePath, steerUnit } from './script.ts';

export interface SteerOptions {
  readonly node: SpecNode;
  readonly masters: readonly SpecNode[];
  readonly apiServerPort: number;
  /** What certificates name: the endpoint's address or its domain name. */
  readonly host: string;
  readonly endpoints: readonly Address[];
  readonly port: number;
  readonly device: string;
}

/** Everything that the static form of `steer` puts on a node. Masters steer to self first, workers have no self. */
export function steerFiles(options: SteerOptions, because: string): readonly WantedFile[] {
  return [
    { path: steerTablePath, content: tables(options), mode: 0o644, because },
    { path: steerConfPath, content: conf(options), mode: 0o644, because: 'who is steered where' },
    {
      path: steerScriptPath,
      content: steerScript,
      mode: 0o755,
      because: 'asks /readyz each second and keeps the table alive',
    },
    { path: unitPath(steerUnit), content: unit, mode: 0o644, because: 'steering starts with the node' },
  ];
}

function tables(options: SteerOptions): string {
  const { endpoints, node, port, device } = options;
  const text = familiesOf(endpoints).map((family) =>
    renderSteerTable({
      family,
      endpoints: endpoints.filter((a) => a.family === family),
      port,
      proberUid: 0,
      uplinks: [device],
      node: node.addresses.find((a) => a.family === family) ?? node.address,
    }),
  );
  return `# ${writtenBy}\n${text.join('')}`;
}

function conf(options: SteerOptions): string {
  const { node, masters, host, endpoints, port, device } = options;
  const others = masters.filter((master) => master.name !== node.name);
  const isName = !endpoints.some((a) => a.text === host);
  const value = (name: string, text: string) => `${name}=${quoteArg(text)}`;
  const array = (name: string, texts: readonly string[]) => `${name}=(${texts.map(quoteArg).join(' ')})`;
  return [
    `# ${writtenBy}`,
    node.role === 'control-plane' ? value('SELF', mainTarget(options, node)) : 'SELF=',
    array(
      'OTHERS',
      others.map((master) => mainTarget(options, master)),
    ),
    otherFamily(options),
    array(
      'ENDPOINTS',
      endpoints.map((a) => a.text),
    ),
    value('PORT', String(port)),
    value('HOST', host),
    value('HOST_IN_URL', host.includes(':') ? `[${host}]` : host),
    value('OPENSSL_VERIFY', isName ? '-verify_hostname' : '-verify_ip'),
    value(
      'FAMILIES',
      familiesOf(endpoints)
        .map((family) => (family === 4 ? 'ip' : 'ip6'))
        .join(' '),
    ),
    value('DEVICE', device),
    '',
  ].join('\n');
}

/** An apiserver listens on every address of its node; a translation cannot change the family, so that of the endpoint counts. */
function target({ apiServerPort }: SteerOptions, master: SpecNode, family: Family | undefined): string | undefined {
  const found = master.addresses.find((a) => a.family === family);
  return found === undefined ? undefined : formatHostPort(found, apiServerPort);
}

function mainTarget(options: SteerOptions, master: SpecNode): string {
  return (
    target(options, master, familiesOf(options.endpoints)[0]) ?? formatHostPort(master.address, options.apiServerPort)
  );
}

/** `([172.16.0.1:6443]='[fd00::1]:6443')` for each master, when the endpoint has addresses of both families. */
function otherFamily(options: SteerOptions): string {
  const second = familiesOf(options.endpoints)[1];
  const pairs = options.masters.flatMap((master) => {
    const alternative = target(options, master, second);
    return alternative === undefined ? [] : [`[${mainTarget(options, master)}]=${quoteArg(alternative)}`];
  });
  return `declare -A ALT=(${pairs.join(' ')})`;
}

function familiesOf(endpoints: readonly Address[]): readonly Family[] {
  return ([4, 6] as const).filter((family) => endpoints.some((a) => a.family === family));
}

const unit = renderUnit({
  description: 'hairpin: steers connections to the endpoint to ready apiservers',
  wants: ['network-online.target'],
  after: ['network-online.target'],
  before: ['kubelet.service'],
  service: [
    'Type=simple',
    `ExecStart=/usr/bin/env bash ${steerScriptPath} run`,
    `ExecStopPost=/usr/bin/env bash ${steerScriptPath} stop`,
    'Restart=always',
    'RestartSec=1',
    'OOMScoreAdjust=-500',
  ],
});
