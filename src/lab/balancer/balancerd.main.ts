import { mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { serveControl } from '../control/server.ts';
import { sh } from '../control/shell.ts';
import { netnsPath } from '../topology/names.ts';
import { Balancerd } from './balancerd.ts';
import type { BalancerdConfig } from './config.ts';
import { familiesOf, inFamily } from './config.ts';
import { haproxyEngine } from './haproxy-engine.ts';
import { nftEngine } from './nft-engine.ts';
import { type Found, setupLines, setupSysctls } from './setup.ts';
import type { BalancerRequest } from './status.ts';

// The balancer daemon of one lab: `balancerd.main.ts CONFIG.json`, inside the balancer's network namespace.

const [file = ''] = process.argv.slice(2);
const config = JSON.parse(readFileSync(file, 'utf8')) as BalancerdConfig;

// It changes routes and rules: never anywhere but in the namespace that it is for.
if (readlinkSync('/proc/self/ns/net') !== `net:[${statSync(netnsPath(config.netns)).ino}]`) {
  process.stderr.write(`balancerd must run in the network namespace ${config.netns}, and does not\n`);
  process.exit(64);
}

mkdirSync(config.dir, { recursive: true, mode: 0o700 });
await setUp();
const { intervalMs } = config.balancer.healthCheck;
const balancerd = new Balancerd(
  config,
  config.balancer.behaviour === 'proxy' ? haproxyEngine(config, intervalMs) : nftEngine(config),
);
await balancerd.start();
const server = await serveControl(config.socket, (request) => balancerd.handle(request as BalancerRequest));

const stop = async () => {
  server.close();
  await balancerd.stop();
  process.exit(0);
};
process.on('SIGTERM', () => void stop());
process.on('SIGINT', () => void stop());

async function setUp(): Promise<void> {
  const lines = setupLines(config, await lookAround());
  for (const family of [4, 6] as const) {
    const batch = (mayFail: boolean) =>
      lines
        .filter((l) => l.family === family && (l.mayFail === true) === mayFail)
        .map((l) => `${l.line}\n`)
        .join('');
    // `-force` goes on after a line that fails and still ends with 1.
    if (batch(true) !== '') await sh(['ip', `-${family}`, '-force', '-batch', '-'], { stdin: batch(true), ok: [1] });
    if (batch(false) !== '') await sh(['ip', `-${family}`, '-batch', '-'], { stdin: batch(false) });
  }
  for (const [name, value] of setupSysctls(config)) {
    try {
      writeFileSync(`/proc/sys/net/${name}`, value);
    } catch (error) {
      // No IPv6 on this machine, or no connection tracking yet; what needs them says so itself.
      process.stderr.write(`net.${name.replaceAll('/', '.')} stays as it is: ${String(error)}\n`);
    }
  }
}

async function lookAround(): Promise<Found> {
  const links = JSON.parse(await sh(['ip', '-json', 'address', 'show'])) as { addr_info: { local: string }[] }[];
  // Only who steers, or has its address on the segment, needs to know the way to the backends.
  const needsDevices = config.balancer.behaviour === 'local' || config.network === 'segment';
  const targets = (needsDevices ? familiesOf(config) : []).flatMap((family) =>
    config.backends.flatMap((b) => inFamily(b.addresses, family)?.text ?? []),
  );
  const devices = await Promise.all(
    targets.map(async (text) => {
      const [route] = JSON.parse((await sh(['ip', '-json', 'route', 'get', text], { ok: [2] })) || '[]') as {
        dev?: string;
      }[];
      return [text, route?.dev] as const;
    }),
  );
  return {
    addresses: new Set(links.flatMap((link) => link.addr_info.map((a) => a.local))),
    deviceTo: new Map(devices.flatMap(([text, dev]) => (dev === undefined ? [] : [[text, dev] as const]))),
  };
}
