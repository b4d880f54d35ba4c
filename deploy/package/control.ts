/** The control files of the package: what dpkg reads. */

import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Entry } from './tree.ts'

const DESCRIPTION = `network flows per container and pod, from the kernel's sockets
 Sockflux shows the network flows of every container and Kubernetes pod on a
 host: how many there are, how fast they are, how much they carry, why they are
 slow, and who talks to whom. An eBPF probe finds the process, container and pod
 of every TCP and UDP socket; a collector adds up what probes send and writes
 samples to InfluxDB, Prometheus or an embedded store.
 .
 The package brings its own Node.js; nothing is compiled or downloaded.`

/**
 * Packages of Debian with the shared libraries that these files need, as dpkg-shlibdeps finds them.
 * @param files executables and shared objects
 * @param own directories of shared objects in the package itself
 */
export function libraries(files: readonly string[], own: readonly string[]): string {
  const directory = mkdtempSync(join(tmpdir(), 'sockflux-package-'))
  try {
    mkdirSync(join(directory, 'debian'))
    writeFileSync(
      join(directory, 'debian/control'),
      'Source: sockflux\n\nPackage: sockflux\nArchitecture: any\n',
    )
    const words = [
      '-O',
      '--ignore-missing-info',
      ...own.map(path => `-l${path}`),
      ...files.map(path => `-e${path}`),
    ]
    const found = execFileSync('dpkg-shlibdeps', words, {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    return /^shlibs:Depends=(.*)$/m.exec(found)?.[1] ?? ''
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

export const architecture = (): string =>
  execFileSync('dpkg', ['--print-architecture'], { encoding: 'utf8' }).trim()

interface Control {
  readonly version: string
  readonly maintainer: string
  readonly depends: string
  readonly entries: readonly Entry[]
}

/** systemd-sysusers makes the users, in a container without systemd the one that stands alone. */
const USERS = 'systemd | systemd-standalone-sysusers'

export function control({ version, maintainer, depends, entries }: Control): string {
  // deb-substvars(5): a kibibyte per directory and link, files rounded up to kibibytes
  const kib = entries.reduce((sum, { size }) => sum + Math.max(1, Math.ceil(size / 1024)), 0)
  return `Package: sockflux
Version: ${version}
Architecture: ${architecture()}
Maintainer: ${maintainer}
Installed-Size: ${kib}
Depends: ${depends}, init-system-helpers (>= 1.54~), passwd, ${USERS}
Suggests: influxdb
Section: net
Priority: optional
Description: ${DESCRIPTION}
`
}

export const checksums = (root: string, entries: readonly Entry[]): string =>
  entries
    .filter(({ path, kind }) => kind === 'file' && !path.startsWith('etc/'))
    .map(
      ({ path }) =>
        `${createHash('md5')
          .update(readFileSync(join(root, path)))
          .digest('hex')}  ${path}\n`,
    )
    .join('')

export const conffiles = (entries: readonly Entry[]): string =>
  entries
    .filter(({ path, kind }) => kind === 'file' && path.startsWith('etc/'))
    .map(({ path }) => `/${path}\n`)
    .join('')
