import { writtenBy } from '../systemd/unit.ts';

export const steerScriptPath = '/etc/hairpin/steer.sh';
export const steerConfPath = '/etc/hairpin/steer.conf';
export const steerTablePath = '/etc/hairpin/steer.nft';
export const steerUnit = 'hairpin-steer.service';

/**
 * The static form of steering: a loop that asks /readyz each second and keeps the steering table alive. It needs bash
 * (for /dev/udp), nft, and one of curl, openssl and socat. Everything that differs between nodes is in steer.conf and
 * steer.nft.
 *
 * Fail-open depends on nothing here: when the loop dies, hangs or is stopped, the kernel lets the element of `live` lapse
 * after 3 s. Therefore no two renewals are more than 2.5 s apart, whatever hangs.
 */
export const steerScript = `#!/bin/bash
# ${writtenBy}
# steer.sh run|stop|uninstall: sends this node's connections to the endpoint to apiservers that are ready.
set -u
# SELF: host:port of this node's apiserver, empty on workers. OTHERS: those of the other masters.
# ALT: the same apiservers by their address of the other family. ENDPOINTS, PORT: what is steered. HOST: the name or address in the certificates. FAMILIES: ip, ip6 or both.
# DEVICE: for a route to the endpoint where there is none.
. ${steerConfPath}

CA=/etc/kubernetes/pki/ca.crt
DIR=/run/hairpin/steer
REQUEST='GET /readyz HTTP/1.0\\r\\n\\r\\n'

bare() { local host="\${1%:*}"; host="\${host#[}"; printf %s "\${host%]}"; }
is_ip6() { case "$1" in *:*:*) return 0 ;; *) return 1 ;; esac; }

# Prints the HTTP status of /readyz at host:port, 000 when something listens but does not answer, else nothing.
# The certificate must be of the cluster's CA and, where the tool can check that, name the endpoint: any kubelet has a
# certificate of that CA. Before the first join there is no CA on the node; then nothing is checked here, and kubeadm
# checks the CA's hash itself.
ask() {
  local target="$1" code check
  case "$TOOL" in
    curl)
      if [ -r "$CA" ]; then set -- --cacert "$CA"; else set -- --insecure; fi
      code="$(curl --silent --output /dev/null --max-time 1 --noproxy '*' --write-out '%{http_code}' "$@" \\
        --connect-to "::$target" "https://$HOST_IN_URL:$PORT/readyz" 2>/dev/null)"
      [ "$code" = 000 ] && code=
      ;;
    openssl)
      if [ -r "$CA" ]; then set -- -CAfile "$CA" -verify_return_error "$OPENSSL_VERIFY" "$HOST"; else set --; fi
      code="$(printf "$REQUEST" | timeout 1 openssl s_client -quiet -connect "$target" "$@" 2>/dev/null | head -n 1 | cut -s -d ' ' -f 2)"
      ;;
    socat)
      if [ -r "$CA" ]; then check="cafile=$CA,commonname=$HOST"; else check=verify=0; fi
      code="$(printf "$REQUEST" | timeout 1 socat -t 1 - "OPENSSL:$target,$check" 2>/dev/null | head -n 1 | cut -s -d ' ' -f 2)"
      ;;
  esac
  if [ -n "$code" ]; then printf %s "$code"; return; fi
  timeout 0.4 bash -c "exec 3<>/dev/tcp/$(bare "$target")/\${target##*:}" 2>/dev/null && printf 000
}

# Asks all of its arguments at once; READY and ALIVE are those of them that are.
look() {
  local target i=0
  READY=() ALIVE=()
  for target in "$@"; do ask "$target" >"$DIR/$i" & i=$((i + 1)); done
  wait
  i=0
  for target in "$@"; do
    case "$(cat "$DIR/$i")" in
      200) READY+=("$target") ;;
      '') ;;
      *) ALIVE+=("$target") ;;
    esac
    i=$((i + 1))
  done
}

look_self() {
  SELF_READY=no SELF_ALIVE=no
  [ -n "$SELF" ] || return
  look "$SELF"
  if [ \${#READY[@]} -gt 0 ]; then SELF_READY=yes STREAK=$((STREAK + 1)); else STREAK=0; fi
  [ \${#ALIVE[@]} -gt 0 ] && SELF_ALIVE=yes
}

look_others() {
  [ \${#OTHERS[@]} -gt 0 ] || return
  look "\${OTHERS[@]}"
  OTHERS_READY=("\${READY[@]}") OTHERS_ALIVE=("\${ALIVE[@]}")
}

# Ready before alive before the balancer (without etcd's quorum nobody is ready, and nobody may be thrown off for that);
# self before the others. Away from self at its first failure, back after its second success. Refusals are held while
# there is somewhere else to go.
choose() {
  HOLD=no CHOSEN=()
  if [ "$SELF_READY" = yes ] && { [ "$STREAK" -ge 2 ] || [ \${#OTHERS_READY[@]} -eq 0 ]; }; then
    CHOSEN=("$SELF")
    [ \${#OTHERS_READY[@]} -gt 0 ] && HOLD=yes
  elif [ \${#OTHERS_READY[@]} -gt 0 ]; then
    CHOSEN=("\${OTHERS_READY[@]}")
    [ \${#OTHERS_READY[@]} -gt 1 ] && HOLD=yes
  elif [ "$SELF_ALIVE" = yes ]; then
    CHOSEN=("$SELF")
  elif [ \${#OTHERS_ALIVE[@]} -gt 0 ]; then
    CHOSEN=("\${OTHERS_ALIVE[@]}")
  fi
}

# Prints the transaction that sends new connections of family $1 to the other arguments; without any, to the balancer.
transaction() {
  local family="$1" target map='' n=0
  shift
  for target in "$@"; do
    if is_ip6 "$target"; then [ "$family" = ip6 ] || target="\${ALT[$target]:-}"; else [ "$family" = ip ] || target="\${ALT[$target]:-}"; fi
    [ -n "$target" ] || continue
    map="$map\${map:+, }$n : $(bare "$target") . \${target##*:}"
    n=$((n + 1))
  done
  echo "flush chain $family hairpin steer"
  echo "flush chain $family hairpin hold"
  [ "$n" -gt 0 ] || return 0
  echo "add rule $family hairpin steer meta l4proto tcp counter name steered dnat $family to numgen inc mod $n map { $map }"
  [ "$HOLD" = no ] || echo "add rule $family hairpin hold counter name held drop"
}

# Makes the choice real. Connections that are half open start over, or they would stay with one that is dead.
apply() {
  local family endpoint
  for family in $FAMILIES; do transaction "$family" "\${CHOSEN[@]}"; done | nft -f - || return 1
  for endpoint in "\${ENDPOINTS[@]}"; do
    conntrack -D -p tcp --orig-dst "$endpoint" --orig-port-dst "$PORT" --state SYN_SENT >/dev/null 2>&1
  done
  echo "new connections to $HOST:$PORT go to \${CHOSEN[*]:-the balancer}; refusals held: $HOLD"
}

load() { NOW=unknown; nft -f ${steerTablePath}; }

# One datagram renews one element of the table, which refuses it. One that is not refused: the table is gone.
renew() {
  local endpoint
  [ \${#CHOSEN[@]} -gt 0 ] || return
  for endpoint in "\${ENDPOINTS[@]}"; do
    if { printf x >"/dev/udp/$endpoint/$PORT"; } 2>/dev/null; then
      echo 'the steering table is gone; putting it back'
      load
      return
    fi
  done
}

# connect() fails before any rule is asked when there is no route at all.
routes() {
  local verb="$1" endpoint family
  for endpoint in "\${ENDPOINTS[@]}"; do
    if is_ip6 "$endpoint"; then family=-6; else family=-4; fi
    case "$verb" in
      add) ip "$family" route get "$endpoint" >/dev/null 2>&1 || ip "$family" route add "$endpoint" dev "$DEVICE" proto 117 ;;
      delete) ip "$family" route delete "$endpoint" dev "$DEVICE" proto 117 2>/dev/null ;;
    esac
  done
}

run() {
  local turn=0 want
  TOOL="$(for tool in curl openssl socat; do command -v "$tool" >/dev/null && { echo "$tool"; break; }; done)"
  [ -n "$TOOL" ] || { echo 'none of curl, openssl and socat is installed: cannot ask /readyz' >&2; exit 1; }
  mkdir -p "$DIR"
  STREAK=0 OTHERS_READY=() OTHERS_ALIVE=() CHOSEN=()
  load || exit 1
  routes add
  while :; do
    look_self
    renew
    # The others matter when self does not do, and for whether a refusal may be held.
    if [ "$STREAK" -lt 2 ] || [ $((turn % 5)) -eq 0 ]; then look_others; fi
    choose
    want="\${CHOSEN[*]:-balancer} $HOLD"
    if [ "$want" != "$NOW" ] && apply; then NOW="$want"; fi
    renew
    turn=$((turn + 1))
    sleep 1
  done
}

# New connections go to the balancer; those that exist stay where they are. The table is left: deleting it cuts them.
stop() {
  local family
  HOLD=no
  for family in $FAMILIES; do transaction "$family"; done | nft -f -
  routes delete
  return 0
}

uninstall() {
  local family
  systemctl disable --now ${steerUnit} 2>/dev/null
  for family in $FAMILIES; do nft delete table "$family" hairpin 2>/dev/null; done
  rm -rf "$DIR"
}

case "\${1:-}" in
  run) run ;;
  stop) stop ;;
  uninstall) uninstall ;;
  *) echo 'usage: steer.sh run|stop|uninstall' >&2; exit 64 ;;
esac
`;
