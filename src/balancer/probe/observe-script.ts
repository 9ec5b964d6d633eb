import { listenScript } from './listen-script.ts';

/**
 * What runs on a node while it is probed. Whatever it makes – a table, a listener, a directory in /run for the certificate – goes away when
 * it ends: by a signal, because nobody reads its output any more (it prints a tick each second, so a cut connection
 * shows within two), or because its time is up. For the case that it is killed outright, a guard in a session of its
 * own, started before the first thing is made, takes all of it away when the time is up.
 *
 * Arguments: table rules life https-path node listener-ports…; without ports it only counts. `https-path` not empty:
 * TLS connections get a real server for that path, with a certificate made here.
 * Prints `counting` or `uncounted REASON`, then what the listener prints.
 */
const script = `
table=$1 rules=$2 life=$3 path=$4 listener=$5 node=$6; shift 6
dir=
if [ -n "$path" ]; then dir=$(mktemp -d "/run/$table-XXXXXX") || exit 1; fi
undo='nft delete table inet "$1"; rm -rf -- "$2"'
setsid sh -c "sleep $life; $undo" guard "$table" "$dir" </dev/null >/dev/null 2>&1 &
guard=$!
tls=
cleanup() {
  trap - EXIT; trap '' HUP INT TERM PIPE
  [ -n "$tls" ] && kill "$tls"
  cd /
  sh -c "$undo" undo "$table" "$dir"
  kill -TERM "-$guard"
} 2>/dev/null
trap cleanup EXIT
trap 'exit 1' HUP INT TERM PIPE
if ! command -v nft >/dev/null; then
  echo 'uncounted there is no nft'
elif said=$(printf '%s' "$rules" | nft -f - 2>&1); then
  echo counting
else
  echo "uncounted $(printf '%s' "$said" | head -n 1)"
fi
if [ $# = 0 ]; then
  echo ready
  while sleep 1; do echo tick || exit 1; done
fi
command -v perl >/dev/null || { echo 'failed 0 there is no perl'; exit 3; }
port=0
if [ -n "$path" ]; then
  command -v openssl >/dev/null || { echo 'failed 0 there is no openssl, and the health check wants HTTPS'; exit 3; }
  port=$(perl -e 'use Socket; socket(S, AF_INET, SOCK_STREAM, 0); bind(S, pack_sockaddr_in(0, INADDR_LOOPBACK)); print((unpack_sockaddr_in(getsockname S))[0])')
  # Whoever connects may read what is below the directory that is served: the key is beside it.
  mkdir "$dir/www" && cd "$dir/www" && mkdir -p "./$(dirname "./$path")" && echo ok >"./$path" || exit 1
  openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=hairpin-probe -keyout "$dir/key" -out "$dir/cert" >/dev/null 2>&1
  openssl s_server -accept "127.0.0.1:$port" -cert "$dir/cert" -key "$dir/key" -quiet -WWW </dev/null >/dev/null 2>&1 &
  tls=$!
  # A check that came before it listens would fail, and the balancer would wait for several good ones again.
  tries=0
  until perl -e 'use Socket; socket(S, AF_INET, SOCK_STREAM, 0) && connect(S, pack_sockaddr_in($ARGV[0], INADDR_LOOPBACK)) or exit 1' "$port" 2>/dev/null; do
    tries=$((tries + 1))
    [ "$tries" -lt 50 ] || { echo 'failed 0 openssl s_server did not begin to listen within 5 s'; exit 3; }
    sleep 0.1
  done
fi
perl -e "$listener" "$node" "$life" "$port" "$@"
`;

export interface Observing {
  readonly node: string;
  readonly table: string;
  readonly rules: string;
  /** Seconds after which everything is gone, whatever happens. */
  readonly lifeSeconds: number;
  readonly httpsPath: string | undefined;
  readonly listenOn: readonly number[];
}

export function observeArgv(observing: Observing): string[] {
  const { table, rules, lifeSeconds, httpsPath, node, listenOn } = observing;
  return [
    'sh',
    '-c',
    script,
    'hairpin-probe',
    table,
    rules,
    String(lifeSeconds),
    (httpsPath ?? '').replace(/^\//, '').replace(/\?.*$/, ''),
    listenScript,
    node,
    ...listenOn.map(String),
  ];
}
