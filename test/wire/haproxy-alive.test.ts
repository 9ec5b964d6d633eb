import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { renderHaproxy } from '../../src/render/haproxy/config.ts';
import { makeSpec } from '../support/any-spec.ts';

// Every apiserver is alive and none is ready, as when etcd has no quorum: haproxy still leads to them, and says that it
// does, so that keepalived keeps the endpoint's address. Real haproxy in a network namespace of its own.

const apiserver = `
const { readFileSync } = require('node:fs');
const [dir, status] = process.argv.slice(1);
const tls = { key: readFileSync(dir + '/key'), cert: readFileSync(dir + '/cert') };
require('node:https').createServer(tls, (q, a) => { a.statusCode = Number(status); a.end(); }).listen(6443);
`;

const script = `
set -e
dir=$1 status=$2
ip link set lo up
for address in 172.17.104.54 172.17.104.55 172.17.105.26; do ip address add $address/32 dev lo; done
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout $dir/key -out $dir/cert 2>/dev/null
[ "$status" = none ] || { node -e "$3" $dir $status & }
haproxy -q -f $dir/haproxy.cfg &
trap 'kill $(jobs -p)' EXIT
ask() { curl -sk -m 3 -o /dev/null -w '%{http_code}' "$1" || true; }
for i in $(seq 40); do
  seen="$(ask http://127.0.0.1:61443/healthz) $(ask https://172.17.105.26:9443/readyz)"
  [ "$seen" = "$4" ] && [ $i -gt 6 ] && break
  sleep 0.5
done
echo "$seen"
`;

test.each([
  { name: 'ready', status: '200', want: '200 200' },
  { name: 'alive and not ready', status: '500', want: '200 500' },
  { name: 'not there', status: 'none', want: '503 000' },
])('all apiservers are $name: health page and endpoint say $want', async ({ status, want }) => {
  const spec = makeSpec({
    masters: 3,
    workers: 0,
    ip: 4,
    version: 'v1.37.2',
    bundle: false,
    cni: 'none',
    strategy: { name: 'keepalived-vip', interface: undefined, routerId: 51, port: 9443 },
  });
  const [m1, m2] = spec.nodes;
  if (m1 === undefined || m2 === undefined) throw new Error('the spec lacks masters');
  const at = (node: typeof m1, text: string) => ({ ...node, address: { family: 4 as const, text } });
  const masters = [at(m1, '172.17.104.54'), at(m2, '172.17.104.55')] as const;
  const vip = { family: 4 as const, text: '172.17.105.26' };
  const dir = await mkdtemp(join(tmpdir(), 'hpn-haproxy-'));
  try {
    const config = renderHaproxy({ node: masters[0], masters, vip, port: 9443, apiServerPort: 6443 });
    await writeFile(join(dir, 'haproxy.cfg'), config);
    const argv = ['--net', '--pid', '--fork', '--kill-child', 'sh', '-c', script, 'test', dir, status, apiserver, want];
    const { stdout, stderr } = await execa('unshare', argv, { reject: false });
    expect(stdout.trim().split('\n').at(-1), stderr).toBe(want);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
});
