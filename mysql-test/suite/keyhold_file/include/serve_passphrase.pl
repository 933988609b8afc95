# SPDX-License-Identifier: GPL-2.0-only
# Listens at a UNIX socket and sends a file's content to every client, until the socket is removed.
use strict;
use IO::Socket::UNIX;

my ($path, $file)= @ARGV;
open(my $content, '<', $file) or die "$file: $!";
my $passphrase= <$content>;
my $listening= IO::Socket::UNIX->new(Type => SOCK_STREAM, Local => $path, Listen => 5) or die "$path: $!";
while (-e $path)
{
  my $readable= '';
  vec($readable, fileno($listening), 1)= 1;
  next unless select($readable, undef, undef, 0.2) > 0;
  my $connection= $listening->accept() or next;
  print $connection $passphrase;
}
