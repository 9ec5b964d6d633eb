import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { renderCluster, writeNodeFiles } from '../../src/cluster-plan.ts';
import { nodeFiles } from '../../src/plan/node-files.ts';
import { program } from '../support/facts.ts';
import { type RenderCase, renderCases } from '../support/render-cases.ts';

/**
 * The real programs read what was rendered, in namespaces of its own where the node's interface and address exist and
 * /etc has the rendered files over it. Each line of the answer is `TOOL PATH: EXIT CODE`.
 */
const script = `
set -u
exec 2>&1
tree=$1 family=$2 address=$3 prefix=$4
ip link set lo up
ip link add eth0 type veth peer name peer0
ip link set eth0 up && ip link set peer0 up
ip "-$family" address add "$address/$prefix" dev eth0 $([ "$family" = 6 ] && echo nodad)
mkdir -p "$tree/etc"
mount -t overlay overlay -o "lowerdir=$tree/etc:/etc" /etc || exit 1
# systemd looks for what units start.
mkdir -p "$tree/usr/local/bin"
mount -t overlay overlay -o "lowerdir=$tree/usr/local/bin:/usr/local/bin" /usr/local/bin || exit 1
try() { local what=$1; shift; out=$("$@" 2>&1); code=$?; echo "$what: $code"; [ "$code" = 0 ] || echo "$out"; }
for file in $(cd "$tree" && find etc usr -type f | sort); do
  case "$file" in
    *.nft)
      try "nft -c /$file" nft -c -f "/$file"
      try "nft /$file" nft -f "/$file"
      try "nft again /$file" nft -f "/$file"
      ;;
    *haproxy.cfg) try "haproxy /$file" haproxy -c -q -f "/$file" ;;
    *keepalived.conf) try "keepalived /$file" keepalived -t -f "/$file" ;;
    usr/local/bin/hairpin) try "sh -n /$file" sh -n "/$file" ;;
    *.service|*.socket) try "systemd-analyze /$file" systemd-analyze verify --man=no "/$file" ;;
    *.sh) try "bash -n /$file" bash -n "/$file" ;;
    *.conf) try "bash -n /$file" bash -n "/$file" ;;
  esac
done
`;

async function askPrograms({ spec, behaviour, node, acceptUnsafe }: RenderCase): Promise<string> {
  const { plan } = renderCluster(spec, { node, behaviour, acceptUnsafe: new Set(acceptUnsafe), program });
  const own = spec.nodes.find((candidate) => candidate.name === node)?.address;
  const tree = await mkdtemp(join(tmpdir(), 'hairpin-render-'));
  try {
    await writeNodeFiles(
      tree,
      nodeFiles(spec, plan, node).filter(({ path }) => /^\/(?:etc|usr)\//.test(path) && path !== '/etc/hosts'),
    );
    const prefix = own?.family === 6 ? '64' : '16';
    const args = [tree, String(own?.family ?? 4), own?.text ?? '', prefix];
    const { stdout } = await execa('unshare', ['-nm', 'bash', '-c', script, 'render-accepted', ...args]);
    return stdout;
  } finally {
    await rm(tree, { recursive: true, force: true });
  }
}

describe('what is rendered is accepted by the programs that will read it', () => {
  test.each(renderCases)('$name', async (each) => {
    const lines = (await askPrograms(each)).split('\n').filter((line) => line !== '');
    expect(lines.filter((line) => !line.endsWith(': 0'))).toEqual([]);
  });

  test('there is something for each program to read', async () => {
    const all = (await Promise.all(renderCases.map(askPrograms))).join('\n');
    const tools = new Set([...all.matchAll(/^(\S+)/gm)].map((match) => match[1]));
    expect([...tools].toSorted()).toEqual(['bash', 'haproxy', 'keepalived', 'nft', 'sh', 'systemd-analyze']);
  });
});
