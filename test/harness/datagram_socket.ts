/** A unix datagram socket, which Node.js cannot open: each datagram is a line, its line breaks as `␤`. */

import type { Cleanup } from './cleanup.ts'
import { type Child, start } from './process.ts'

/** perl-base is in every Debian. */
const RECEIVE = `
use Socket;
$| = 1;
my $path = shift;
my $name = $path;
$name =~ s/^\\@/\\0/;
socket(my $socket, AF_UNIX, SOCK_DGRAM, 0) or die "socket: $!";
bind($socket, pack_sockaddr_un($name)) or die "bind: $!";
print "ready\\n";
while (defined recv($socket, my $text, 65536, 0)) { $text =~ s/\\n/␤/g; print "$text\\n" }
`

/** @param path `@name` is in the abstract name space */
export async function openDatagrams(cleanup: Cleanup, path: string): Promise<Child> {
  const receiver = start(['perl', '-e', RECEIVE, path])
  cleanup.defer(() => receiver.close())
  await receiver.line(/^ready$/)
  return receiver
}
