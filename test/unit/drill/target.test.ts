import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer, type Server } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TrafficConfig } from '../../../src/drill/traffic/config.ts';
import { targetOf } from '../../../src/drill/traffic/target.ts';

const dir = mkdtempSync(join(tmpdir(), 'hairpin-target-'));
let server: Server;
let fingerprint = '';

beforeAll(async () => {
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')];
  const subject = ['-subj', '/CN=m1', '-days', '2'];
  const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', cert];
  execFileSync('openssl', ['req', '-x509', ...made, ...subject], { stdio: 'ignore' });
  fingerprint = new X509Certificate(readFileSync(cert)).fingerprint256;
  server = createServer({ key: readFileSync(key), cert: readFileSync(cert) }, (socket) => socket.end('x'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => {
  server.close();
  rmSync(dir, { recursive: true, force: true });
});

test('a resumed session is of whoever gave it, although no certificate comes with it', async () => {
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const target = targetOf({ host: '127.0.0.1', port, servers: { [fingerprint]: 'm1' } } as unknown as TrafficConfig);
  const seen: unknown[] = [];
  for (let i = 0; i < 4; i += 1) {
    const socket = target.open();
    await once(socket, 'data');
    seen.push([socket.isSessionReused(), target.server(socket, undefined)]);
    socket.destroy();
  }
  expect(seen).toEqual([
    [false, 'm1'],
    [true, 'm1'],
    [true, 'm1'],
    [true, 'm1'],
  ]);
});
