/** Set-up in an overlay copy of this machine's root, which leaves the machine as it is. */

import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { REPOSITORY } from '../harness/repository.ts'
import { scratch } from '../harness/scratch.ts'
import { type Ended, ended } from '../harness/sockflux.ts'

const ENTER = `set -e
mount -t tmpfs none "$0/t"
mkdir "$0/t/u" "$0/t/w" "$0/t/m"
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/t/u,workdir=$0/t/w" "$0/t/m"
cd "$0/t/m"
mount -t proc proc proc
mount --rbind /sys sys
mount --rbind /dev dev
mkdir -p opt/sockflux
mount --bind "$0/clone" opt/sockflux
exec chroot . bash -c "cd /opt/sockflux; $1"`

/** A clone without anything built, and only these packages wanted. */
export async function clone(directory: string, run: string, test = ''): Promise<void> {
  await mkdir(join(directory, 'build'), { recursive: true })
  for (const path of ['Makefile', 'deploy', 'cli/sockflux.ts', 'package.json'])
    await cp(join(REPOSITORY, path), join(directory, path), { recursive: true })
  const wanted = `\nRUN_PACKAGES=(${run})\nTEST_PACKAGES=(${test})\nPACKAGE_PACKAGES=()\n`
  await writeFile(join(directory, 'deploy/packages.sh'), wanted, { flag: 'a' })
}

/** Two packages in a repository of its own; apt has no other source. */
const REPOSITORY_OF_TESTS = `
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/* /var/lib/apt/lists/* /usr/sbin/policy-rc.d
rm -f /etc/apt/apt.conf.d/*proxy*
for name in sockflux-one sockflux-two; do
  mkdir -p /opt/p/$name/DEBIAN
  printf 'Package: %s\\nVersion: 1\\nArchitecture: all\\nMaintainer: tests\\nDescription: of the tests\\n' $name >/opt/p/$name/DEBIAN/control
  printf '#!/bin/sh\\nls /usr/sbin/policy-rc.d >/opt/policy.seen 2>&1; exit 0\\n' >/opt/p/$name/DEBIAN/postinst
  chmod 755 /opt/p/$name/DEBIAN/postinst
  dpkg-deb --build /opt/p/$name /opt/p/$name.deb >/dev/null
  (cat /opt/p/$name/DEBIAN/control; echo Filename: ./$name.deb; echo Size: $(stat -c %s /opt/p/$name.deb); echo SHA256: $(sha256sum /opt/p/$name.deb | cut -d' ' -f1); echo) >>/opt/p/Packages
done
echo 'deb [trusted=yes] file:/opt/p ./' >/etc/apt/sources.list
`

/** Runs a script in the copy, in a clone whose set-up wants the packages `run`. */
export async function onSystem(t: Test, script: string, run = 'sockflux-one', test = ''): Promise<Ended> {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const directory = await scratch(cleanup, 'system')
  await mkdir(join(directory, 't'))
  await clone(join(directory, 'clone'), run, test)
  await writeFile(join(directory, 'clone/script'), REPOSITORY_OF_TESTS + script)
  const command = ['unshare', '--mount', '--propagation', 'private', 'sh', '-c', ENTER, directory]
  return ended([...command, '. /opt/sockflux/script'], { LC_ALL: 'C', NODE_OPTIONS: '' })
}

/** A process that holds the lock on a file, as dpkg does; `$holder` is its pid. */
export const hold = (file: string, seconds: number) => `
perl -MFcntl=:DEFAULT,:seek -e 'sysopen(F, "${file}", O_RDWR | O_CREAT) or die; my $lock = pack("s s x![l!] l! l! i x![l!]", F_WRLCK, SEEK_SET, 0, 0, 0); fcntl(F, F_SETLK, $lock) or die; open(O, ">", "/opt/held"); close O; sleep ${seconds}' &
holder=$!
until [ -e /opt/held ]; do kill -0 $holder || exit; sleep 0.05; done
`
