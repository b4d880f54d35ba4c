/** The root of a system that has this machine's /usr and nothing else of it. */

import { cp, mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './process.ts'

const DIRECTORIES = [
  'dev',
  'etc/systemd/system',
  'home',
  'opt/sockflux',
  'proc',
  'root',
  'run',
  'srv',
  'sys',
  'tmp',
  'usr',
  'var/lib',
  'var/log',
]
const LINKS = ['bin', 'sbin', 'lib', 'lib64']
/** Of this machine: programs of /usr read them. */
const COPIED = [
  'alternatives',
  'ld.so.cache',
  'ld.so.conf',
  'ld.so.conf.d',
  'nsswitch.conf',
  'os-release',
  'pam.d',
  'ssl',
]
const MASKED = [
  'console-getty.service',
  'dbus.service',
  'dbus.socket',
  'getty.target',
  'systemd-logind.service',
]
/** With a machine id it is no first boot. */
const FILES: Readonly<Record<string, string>> = {
  'etc/passwd': 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/usr/sbin/nologin\n',
  'etc/group': 'root:x:0:\nnogroup:x:65534:\n',
  'etc/machine-id': '5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e\n',
  'etc/hostname': 'box\n',
  'etc/hosts': '127.0.0.1 localhost box\n',
}

/** @param root a directory that is not there yet; /usr is to be mounted into it */
export async function makeRoot(root: string): Promise<void> {
  for (const directory of DIRECTORIES) await mkdir(join(root, directory), { recursive: true })
  for (const link of LINKS) await symlink(`usr/${link}`, join(root, link))
  for (const name of COPIED)
    await cp(join('/etc', name), join(root, 'etc', name), {
      recursive: true,
      dereference: name === 'os-release',
    }).catch(() => {})
  for (const [path, text] of Object.entries(FILES)) await writeFile(join(root, path), text)
  for (const unit of MASKED) await symlink('/dev/null', join(root, 'etc/systemd/system', unit))
  const version = /systemd (\d+)/.exec(await run(['systemctl', '--version']))?.[1]
  // nspawn looks for it, below the later /usr, to learn which cgroups this systemd knows
  await mkdir(join(root, 'usr/lib/systemd'), { recursive: true })
  await writeFile(join(root, `usr/lib/systemd/libsystemd-shared-${version}.so`), '')
}
