/**
 * The client: opens `COUNT` connections to `ADDRESS PORT`, each from a source port of its own in the probe's range,
 * sends the ClientHello and says what came back. perl-base is on every Debian; the script uses nothing beyond it.
 *
 * Arguments: family address port count first-source-port timeout-ms hello-in-hex. A source port of 0 takes any.
 * Prints for each connection `try PORT OUTCOME MS DETAIL`, and each certificate seen once as `cert N HEX`:
 * - `banner NODE PEER PEERPORT`: the throw-away listener answered, and what it saw
 * - `tls N`: a TLS server answered with certificate N (`-` when it kept it to itself)
 * - `data HEX`: something else answered
 * - `refused`, `reset` (after the connection was there), `closed` (without a byte), `timeout` (no connection),
 *   `silent` (a connection, and nothing came), `unreachable ERRNO`
 */
export const dialScript = String.raw`
use strict; use warnings; use Socket qw(:DEFAULT inet_pton inet_ntop IN6ADDR_ANY IPPROTO_IPV6 IPV6_V6ONLY sockaddr_family pack_sockaddr_in6 unpack_sockaddr_in6); use POSIX (); use Fcntl;
use Errno qw(EINPROGRESS ECONNREFUSED ECONNRESET EPIPE EAGAIN EINTR EADDRINUSE);
my ($family, $address, $port, $count, $first, $limit, $hex) = @ARGV;
$| = 1; $SIG{PIPE} = 'IGNORE'; alarm(60);
my $hello = pack('H*', $hex);
my $tick = POSIX::sysconf(&POSIX::_SC_CLK_TCK) || 100;
sub now { my ($real) = POSIX::times(); return $real * 1000 / $tick }
my $domain = $family == 6 ? AF_INET6 : AF_INET;
my $packed = inet_pton($domain, $address) or die "not an address: $address\n";
my $to = $family == 6 ? pack_sockaddr_in6($port, $packed) : pack_sockaddr_in($port, $packed);
my (%live, %certs, $certs); $certs = 0;
sub done {
  my ($try, $outcome, $detail) = @_;
  printf "try %d %s %d %s\n", $try->{sport}, $outcome, now() - $try->{start}, $detail;
  delete $live{fileno $try->{fh}}; close $try->{fh};
}
sub finish {
  my ($try, $end) = @_;
  my $in = $try->{in};
  if ($in =~ /\Ahairpin-probe (\S+) (\S+) (\d+)\n/) { return done($try, 'banner', "$1 $2 $3") }
  if (length $in and ord($in) == 0x16 || ord($in) == 0x15) { return done($try, 'tls', certificate($in) // '-') }
  if (length $in) { return done($try, 'data', unpack('H*', substr($in, 0, 60))) }
  return done($try, $end, '-');
}
sub certificate {
  my ($in) = @_;
  my $messages = '';
  while (length $in >= 5) {
    my ($type, undef, $n) = unpack('Cnn', $in);
    last if length $in < 5 + $n;
    $messages .= substr($in, 5, $n) if $type == 0x16;
    $in = substr($in, 5 + $n);
  }
  while (length $messages >= 4) {
    my ($type, $high, $low) = unpack('CCn', $messages);
    my $n = $high * 65536 + $low;
    return undef if length $messages < 4 + $n;
    my $body = substr($messages, 4, $n); $messages = substr($messages, 4 + $n);
    next unless $type == 11 and $n >= 6;
    my ($ch, $cl) = unpack('x3 Cn', $body);
    my $der = substr($body, 6, $ch * 65536 + $cl);
    if (!defined $certs{$der}) { $certs{$der} = $certs++; print "cert $certs{$der} ", unpack('H*', $der), "\n" }
    return $certs{$der};
  }
  return undef;
}
sub begin {
  my ($n) = @_;
  socket(my $fh, $domain, SOCK_STREAM, 0) or die "socket: $!\n";
  my $sport = $first ? $first + $n : 0;
  setsockopt($fh, SOL_SOCKET, SO_REUSEADDR, 1);
  bind($fh, $family == 6 ? pack_sockaddr_in6($sport, IN6ADDR_ANY) : pack_sockaddr_in($sport, INADDR_ANY)) or $sport = 0;
  fcntl($fh, F_SETFL, O_NONBLOCK);
  my $try = { fh => $fh, sport => $sport, start => now(), in => '', state => 'connecting' };
  $live{fileno $fh} = $try;
  if (!connect($fh, $to) and $! != EINPROGRESS) {
    return done($try, $! == ECONNREFUSED ? 'refused' : 'unreachable', $! + 0);
  }
}
my $begun = 0; my $next = now();
while ($begun < $count or %live) {
  # Spread at random: nodes that dial in step would each meet the same backend of a round robin for ever.
  if ($begun < $count and now() >= $next) { begin($begun++); $next = now() + 10 + rand 40 }
  my ($r, $w) = ('', '');
  for (values %live) { vec($_->{state} eq 'connecting' ? $w : $r, fileno $_->{fh}, 1) = 1 }
  select($r, $w, undef, 0.01);
  for my $try (values %live) {
    my $no = fileno $try->{fh};
    if ($try->{state} eq 'connecting') {
      if (vec($w, $no, 1)) {
        my $errno = unpack('i', getsockopt($try->{fh}, SOL_SOCKET, SO_ERROR));
        if ($errno == ECONNREFUSED) { done($try, 'refused', '-'); next }
        if ($errno) { done($try, $errno == ECONNRESET ? 'reset' : 'unreachable', $errno); next }
        $try->{state} = 'open'; syswrite($try->{fh}, $hello);
      } elsif (now() - $try->{start} > $limit) { done($try, 'timeout', '-') }
    } elsif (vec($r, $no, 1)) {
      my $got = sysread($try->{fh}, $try->{in}, 16384, length $try->{in});
      if (!defined $got) { next if $! == EAGAIN || $! == EINTR; finish($try, 'reset'); next }
      if ($got == 0) { finish($try, 'closed'); next }
      if ($try->{in} =~ /\Ahairpin-probe [^\n]*\n/) { finish($try, 'closed'); next }
      if (ord($try->{in}) == 0x16 and defined certificate($try->{in})) { finish($try, 'closed'); next }
    } elsif (now() - $try->{start} > $limit) { finish($try, 'silent') }
  }
}
`;
