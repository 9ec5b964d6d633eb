/**
 * The throw-away listener: serves what a balancer's health check wants and answers the probe's own connections with who
 * it is and whom it sees. Ends by itself after `LIFE` seconds, and within about two seconds when nobody listens to it
 * any more (it prints a tick each second).
 *
 * Arguments: node life-in-seconds tls-port port…. With a `tls-port` other than 0, TLS connections that are not the
 * probe's go there (an `openssl s_server` on the loopback), for checks by HTTPS.
 * Prints `ready`, `seen PEER PORT KIND` (KIND: probe, http, tls, tcp) for each connection, `tick`.
 */
export const listenScript = String.raw`
use strict; use warnings; use Socket qw(:DEFAULT inet_pton inet_ntop IN6ADDR_ANY IPPROTO_IPV6 IPV6_V6ONLY sockaddr_family pack_sockaddr_in6 unpack_sockaddr_in6); use POSIX (); use Fcntl; use Errno qw(EAGAIN EINTR);
my ($node, $life, $tls, @ports) = @ARGV;
# A client that went away while it was answered must not end the listener; a reader that went away must.
$| = 1; $SIG{PIPE} = 'IGNORE'; alarm($life + 0);
sub report { print "$_[0]\n" or exit 4 }
sub nonblock { fcntl($_[0], F_SETFL, O_NONBLOCK) }
my (%servers, %conns);
for my $port (@ports) {
  my $open = 0;
  for my $domain (AF_INET, AF_INET6) {
    socket(my $fh, $domain, SOCK_STREAM, 0) or next;
    setsockopt($fh, SOL_SOCKET, SO_REUSEADDR, 1);
    if ($domain == AF_INET6) { setsockopt($fh, IPPROTO_IPV6, IPV6_V6ONLY, 1) or next }
    my $at = $domain == AF_INET6 ? pack_sockaddr_in6($port, IN6ADDR_ANY) : pack_sockaddr_in($port, INADDR_ANY);
    if (!bind($fh, $at) or !listen($fh, 128)) { next if $domain == AF_INET6 and $open; report("failed $port $!"); exit 3 }
    nonblock($fh); $servers{fileno $fh} = { fh => $fh, port => $port }; $open++;
  }
}
report('ready');
sub drop { my ($c) = @_; for my $fh (grep { defined } $c->{fh}, $c->{up}) { delete $conns{fileno $fh}; close $fh } }
sub seen { my ($c, $kind) = @_; return if $c->{said}++; report("seen $c->{peer} $c->{port} $kind") }
sub answer {
  my ($c) = @_;
  my $in = $c->{in};
  if ($in =~ /hairpin-probe\.invalid/) {
    seen($c, 'probe');
    syswrite($c->{fh}, "hairpin-probe $node $c->{peer} $c->{pport}\n"); shutdown($c->{fh}, 1); $c->{state} = 'drain'; return;
  }
  if ($in =~ /\A(?:GET|HEAD|OPTIONS) /) {
    return unless $in =~ /\r?\n\r?\n/;
    seen($c, 'http');
    syswrite($c->{fh}, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n");
    shutdown($c->{fh}, 1); $c->{state} = 'drain'; return;
  }
  if (length $in and ord($in) == 0x16) {
    # Until the whole hello is here nobody knows whose it is.
    return if length $in < 5 or length $in < 5 + unpack('x3n', $in);
    seen($c, 'tls');
    if (!$tls) { drop($c); return }
    socket(my $up, AF_INET, SOCK_STREAM, 0);
    if (!connect($up, pack_sockaddr_in($tls, inet_aton('127.0.0.1')))) { drop($c); return }
    syswrite($up, $in); nonblock($up);
    $c->{up} = $up; $c->{state} = 'relay'; $conns{fileno $up} = { fh => $up, up => $c->{fh}, state => 'relay', start => time };
    return;
  }
  if (length $in > 4096) { seen($c, 'tcp'); drop($c) }
}
my $ticked = time;
while (1) {
  my $r = '';
  vec($r, $_, 1) = 1 for keys %servers, keys %conns;
  select($r, undef, undef, 0.2);
  if (time != $ticked) { $ticked = time; report('tick') }
  for my $s (values %servers) {
    next unless vec($r, fileno $s->{fh}, 1);
    my $from = accept(my $fh, $s->{fh}) or next;
    nonblock($fh);
    my $six = sockaddr_family($from) == AF_INET6;
    my ($pport, $raw) = $six ? unpack_sockaddr_in6($from) : unpack_sockaddr_in($from);
    my $peer = inet_ntop($six ? AF_INET6 : AF_INET, $raw);
    $conns{fileno $fh} = { fh => $fh, peer => $peer, pport => $pport, port => $s->{port}, in => '', state => 'new', start => time };
  }
  for my $no (keys %conns) {
    my $c = $conns{$no} or next;
    if (time - $c->{start} > 15) { seen($c, 'tcp') if $c->{peer}; drop($c); next }
    next unless vec($r, $no, 1);
    my $got = sysread($c->{fh}, my $data, 16384);
    if (!defined $got) { next if $! == EAGAIN || $! == EINTR; seen($c, 'tcp') if $c->{peer}; drop($c); next }
    if ($got == 0) { seen($c, 'tcp') if $c->{peer}; drop($c); next }
    if ($c->{state} eq 'relay') { syswrite($c->{up}, $data) if $c->{up} }
    elsif ($c->{state} eq 'new') { $c->{in} .= $data; answer($c) }
  }
}
`;
