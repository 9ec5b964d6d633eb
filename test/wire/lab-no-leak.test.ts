import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, test } from 'vitest';
import { startLab, stopLab } from '../../src/index.ts';
import { labSpec } from '../support/lab-spec.ts';

const name = 't-core-leak';
afterEach(async () => void (await stopLab(name)));

// Every address that a lab has, its probes' included.
const labTraffic = [
  'net 172.16.104.0/23',
  'net 172.16.200.0/24',
  'net 10.244.0.0/16',
  'host 100.64.0.10',
  'net fd00:172:16::/48',
  'net fd00:10:244::/48',
].join(' or ');

test('no packet of a lab crosses an interface of this machine, while the same count in the fabric is large', async () => {
  await using lab = await startLab(labSpec({ name, ip: 'dual', balancer: 'alibaba-clb' }));
  const outside = await countPackets([], labTraffic);
  const fabric = await countPackets(['nsenter', `--net=/run/netns/${lab.cx.topology.fabric.netns}`], labTraffic);
  for (const from of ['m1', 'w1', 'c1', 'm1-pod', 'w1-pod']) {
    for (const host of ['172.16.105.26', '[fd00:172:16:105::26]', '172.16.104.55', '192.0.2.1']) {
      await lab.exec(from, ['curl', '-sk', '--max-time', '0.3', '-o', '/dev/null', `https://${host}:6443/readyz`]);
    }
  }
  const inFabric = await fabric();
  expect(inFabric).toBeGreaterThan(100);
  expect(await outside()).toBe(0);
});

test('a machine of a lab cannot reach anything out here', async () => {
  await using lab = await startLab(labSpec({ name, masters: 1, workers: 0 }));
  const server = spawn(process.execPath, [
    '-e',
    'require("net").createServer().listen(0,"0.0.0.0",function(){console.log(this.address().port)})',
  ]);
  const [port] = (await once(server.stdout, 'data')) as [Buffer];
  const reached = async (host: string) =>
    (await lab.exec('m1', ['socat', '-u', 'OPEN:/dev/null', `TCP:${host}:${port.toString().trim()},connect-timeout=1`]))
      .exitCode === 0;
  const outcomes = [await reached('127.0.0.1')];
  server.kill('SIGKILL');
  const { stdout } = await lab.exec('m1', ['ip', '-oneline', 'link', 'show']);
  const devices = [...stdout.matchAll(/^\d+: ([^:@]+)/gm)].map((match) => match[1]);
  expect({ outcomes, devices }).toEqual({ outcomes: [false], devices: ['lo', 'eth0', 'pod0'] });
});

/** Counts from now on; the returned function stops and gives the count. */
async function countPackets(prefix: readonly string[], filter: string): Promise<() => Promise<number>> {
  const argv = [...prefix, 'tcpdump', '-i', 'any', '-nn', '--immediate-mode', '-w', '/dev/null', filter];
  const [file = '', ...args] = argv;
  const child = spawn(file, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const closed = once(child, 'close');
  const end = performance.now() + 5_000;
  while (!said.includes('listening on')) {
    if (performance.now() > end) throw new Error(`tcpdump did not start: ${said}`);
    await sleep(10);
  }
  return async () => {
    await sleep(300);
    child.kill('SIGINT');
    await closed;
    const count = /(\d+) packets? captured/.exec(said)?.[1];
    if (count === undefined) throw new Error(`tcpdump gave no count: ${said}`);
    return Number(count);
  };
}
