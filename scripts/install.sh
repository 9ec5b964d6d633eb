#!/bin/bash
# Installs what hairpin, its lab and its tests need on Debian or Ubuntu: packages of the system, a look at Go, and the
# packages of package-lock.json. Says what it does; does nothing (in a fraction of a second) when all is there.
#
# No service is started, and none that comes with these packages will start by itself at the next boot: the lab runs
# its own copies inside its own namespaces.
set -euo pipefail
cd "$(dirname "$0")/.."

# What each is for is in src/lab/doctor/checks/tools.ts; `hairpin lab doctor` looks for the same programs.
# libatomic1 is for the Node.js that npm installs: a minimal system does not have it.
PACKAGES=(
  ca-certificates conntrack curl debootstrap dnsmasq-base haproxy iproute2 iptables keepalived libatomic1 nftables
  openssh-client openssh-server openssl procps socat systemd-container tcpdump util-linux zstd
)
# Units that these packages enable, each with its package.
UNITS=(haproxy:haproxy.service keepalived:keepalived.service openssh-server:ssh.service openssh-server:ssh.socket)
# What Kubernetes v1.37 is compiled with; older ones want less.
LEAST_GO=1.26

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "make install: $1"
  say "  hint: $2"
  exit 1
}
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -- "$@"; fi; }

main() {
  command -v dpkg-query >/dev/null || fail 'this is neither Debian nor Ubuntu' \
    "install yourself what stands for: ${PACKAGES[*]}; then run npm ci"
  install_packages
  look_at_go
  install_node_modules
}

install_packages() {
  local missing=() package
  # One query for all: twenty processes would take longer than everything else here.
  local there
  # It fails where it does not know one of them, which is why we ask.
  there=" $({ dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${PACKAGES[@]}" 2>/dev/null || true; } |
    sed -n 's/^installed //p' | tr '\n' ' ')"
  for package in "${PACKAGES[@]}"; do
    [[ $there == *" $package "* ]] || missing+=("$package")
  done
  command -v npm >/dev/null || missing+=(npm)
  command -v go >/dev/null || missing+=(golang-go)
  [ ${#missing[@]} = 0 ] && return
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    fail "these packages are missing and only root can install them: ${missing[*]}" 'run make as root'
  fi
  local start=$SECONDS
  say "packages: ${#missing[@]} to install: ${missing[*]}"
  say '  reading the lists of packages'
  quietly as_root apt-get update -qq
  forbid_starting
  apt_with_progress install --yes --no-install-recommends "${missing[@]}"
  allow_starting
  keep_off "${missing[@]}"
  say "packages: installed in $((SECONDS - start)) s"
}

# Shows the output of a command only when it fails.
quietly() {
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    tail -n 40 "$log" >&2
    rm -f "$log"
    fail "\`$*\` failed" 'the last lines above say why; run make again when it is put right'
  fi
  rm -f "$log"
}

# apt tells on a descriptor of its own how far it is: `pmstatus:PACKAGE:PERCENT:TEXT`. Every tenth of the way is worth a
# line. That descriptor must not be one that packages' scripts write to: apt makes it non-blocking, and then their
# `echo` fails when the reader is slow.
apt_with_progress() {
  local log code=0
  log=$(mktemp)
  {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C sh -c \
      'exec 3>&1 >>"$0" 2>&1; exec apt-get -q -o Dpkg::Use-Pty=0 -o APT::Status-Fd=3 "$@"' "$log" "$@" ||
      echo "code:$?"
  } | {
    local kind package percent text last=-1 tenth failed=0
    while IFS=: read -r kind package percent text; do
      case $kind in
        dlstatus | pmstatus)
          tenth=$((${percent%%.*} / 10))
          if [ "$tenth" != "$last" ]; then say "  $(printf %3d "${percent%%.*}") %  $text"; fi
          last=$tenth
          ;;
        code) failed=$package ;;
      esac
    done
    exit "$failed"
  } || code=$?
  if [ "$code" != 0 ]; then
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail 'apt-get could not install them' 'the last lines above say why; run make again when it is put right'
  fi
  rm -f "$log"
}

POLICY=/usr/sbin/policy-rc.d
OURS=no
# 101 = "not allowed by policy": dpkg's scripts ask before they start or restart a daemon. One that is there stays.
forbid_starting() {
  [ -e "$POLICY" ] && return
  OURS=yes
  trap allow_starting EXIT
  printf '#!/bin/sh\n# Written by the install script of hairpin; removed when it ends.\nexit 101\n' |
    as_root install -m 755 /dev/stdin "$POLICY"
}
allow_starting() {
  [ "$OURS" = yes ] && as_root rm -f "$POLICY"
  OURS=no
}

# Only for packages that were not there before: what the owner of this machine has enabled stays as it is.
keep_off() {
  local entry package unit
  command -v systemctl >/dev/null || return 0
  for entry in "${UNITS[@]}"; do
    package=${entry%%:*} unit=${entry#*:}
    [[ " $* " == *" $package "* ]] || continue
    as_root systemctl --quiet disable "$unit" >/dev/null 2>&1 || true
    say "  $unit is installed and stays off"
  done
}

look_at_go() {
  local have
  have=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null || true)
  have=${have#go}
  if [ -z "$have" ]; then
    say 'go: none; the lab can then only use binaries that it can fetch'
  elif [ "$(printf '%s\n' "$LEAST_GO" "$have" | sort -V | head -n 1)" != "$LEAST_GO" ]; then
    if [ "$(go env GOTOOLCHAIN 2>/dev/null)" = auto ]; then
      say "go: $have, which fetches a newer Go by itself when Kubernetes has to be compiled"
    else
      say "go: $have is too old to compile Kubernetes v1.37 ($LEAST_GO is needed); fetching its binaries still works"
    fi
  fi
}

# By content and not by time: a checkout changes the time of every file.
install_node_modules() {
  local stamp=node_modules/.hairpin-lock want
  want=$(cat package.json package-lock.json | sha256sum)
  [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && [ -x node_modules/node/bin/node ] && return
  local start=$SECONDS
  say "npm: installing $(grep -c '^    "node_modules/' package-lock.json) packages of package-lock.json (Node.js itself is one), about half a minute"
  # The old Node.js that runs npm here warns that packages want a newer one; it does not run them.
  local flags=(--no-audit --no-fund --loglevel=error) log
  log=$(mktemp)
  if npm ci "${flags[@]}" >"$log" 2>&1; then
    :
  elif grep -q 'are in sync' "$log"; then
    # A registry that does not carry the builds of some libraries for other systems leaves them out of the lock file,
    # and npm 11 then refuses it as a whole. npm install takes it, checksums included, and --no-save leaves it alone.
    say '  npm ci wants entries for other systems in package-lock.json; npm install does without'
    quietly npm install --no-save "${flags[@]}"
  else
    tail -n 20 "$log" >&2
    rm -f "$log"
    fail 'npm ci failed' 'the last lines above say why; run make again when it is put right'
  fi
  rm -f "$log"
  printf '%s\n' "$want" >"$stamp"
  say "npm: installed in $((SECONDS - start)) s"
}

main
