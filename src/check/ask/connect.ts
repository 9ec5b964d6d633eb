import type { Question } from './question.ts';

/**
 * `fetch URL [CURL OPTION…]`: prints the HTTP status that the URL answers with, 000 for none. curl where there is one;
 * kubectl is the second choice, a process of 60 MB for each question, and prints no status: what it takes for an error is
 * shown as 500.
 */
export const fetchFunction = `
fetch() {
  url=$1; shift
  if command -v curl >/dev/null 2>&1; then
    curl --silent --insecure --globoff --noproxy '*' --connect-timeout 3 --max-time 10 --output /dev/null --write-out '%{http_code}' "$@" "$url"
    return 0
  fi
  base=$(printf %s "$url" | sed -E 's,^(https?://[^/]+).*,\\1,')
  if out=$(kubectl --kubeconfig /dev/null --cache-dir /dev/null --insecure-skip-tls-verify --request-timeout=3s --server "$base" get --raw "\${url#"$base"}" 2>&1); then
    printf 200
  else
    case $out in *"rror from server"*|*orbidden*|*nauthorized*) printf 500 ;; *) printf 000 ;; esac
  fi
}
`;

/**
 * `pod_netns` prints the network namespace of a pod: container runtimes keep them as \`/run/netns/cni-…\`. Nothing when the
 * node has no pod with a network of its own.
 */
const podNetnsFunction = `
pod_netns() {
  for file in /run/netns/cni-*; do
    [ -e "$file" ] || continue
    nsenter --net="$file" ip -oneline address show scope global 2>/dev/null | grep -q . || continue
    echo "$file"
    return
  done
}
`;

/** Where a connection starts: the node itself, or a pod on it. */
export type From = 'node' | 'pod';

/** Exit code of a question that a node without pods cannot answer. */
export const noPodExitCode = 3;

// A few at a time: a balancer that swallows a third of them costs 3 s a batch and not 3 s a connection.
const countScript = `
lib=$1 from=$2 tries=$3 url=$4; shift 4
eval "$lib"
if [ "$from" = pod ]; then
  netns=$(pod_netns)
  [ -n "$netns" ] || { echo 'no pod with a network of its own'; exit ${noPodExitCode}; }
  set -- "$lib" node "$tries" "$url" "$@"
  exec nsenter --net="$netns" sh -c "$script" hairpin-count "$@"
fi
i=0
answers=$(
  while [ $i -lt "$tries" ]; do
    { code=$(fetch "$url" "$@"); [ "$code" = 000 ] || echo yes; } &
    i=$((i + 1))
    [ $((i % 6)) = 0 ] && wait
  done
  wait
)
ok=$(printf '%s\\n' "$answers" | grep -c yes)
echo "$ok of $tries"
[ "$ok" = "$tries" ]
`;

/**
 * New TLS connections to a URL, each with one request: \`N of TRIES\` answered. \`resolveTo\` dials an address whatever the
 * node's own files say about the name: pods do not read them.
 */
export function connections(
  url: string,
  opts: { from: From; tries: number; resolveTo?: { host: string; port: number; address: string } },
): Question {
  const { from, tries, resolveTo } = opts;
  const resolve =
    resolveTo === undefined ? [] : ['--resolve', `${resolveTo.host}:${resolveTo.port}:${bracketed(resolveTo.address)}`];
  return {
    want: `${tries} of ${tries} connections to ${url} answered`,
    script: 'script=$1; shift; export script; exec sh -c "$script" hairpin-count "$@"',
    args: [countScript, fetchFunction + podNetnsFunction, from, String(tries), url, ...resolve],
  };
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
