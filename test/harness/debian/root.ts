/** Root file systems of Debian, made once from the mirror of this machine's apt and kept in build/test. */

import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { built } from '../binary.ts'
import { run } from '../process.ts'

export type Suite = 'bookworm' | 'trixie'

/** A machine with systemd, and what the package depends on; neither compiler nor Node.js. */
const MACHINE = ['systemd', 'systemd-sysv', 'dbus', 'libbpf1', 'libstdc++6']
/** An image for containers: no systemd. */
const CONTAINER = ['systemd-standalone-sysusers', 'libbpf1', 'libstdc++6', 'init-system-helpers']
const MIRROR = 'http://deb.debian.org/debian'
const MAKING_MS = 170_000

export const machineRoot = (suite: Suite): Promise<string> => made(`machine-${suite}.tar`, suite, MACHINE)
export const containerRoot = (suite: Suite): Promise<string> =>
  made(`container-${suite}.tar`, suite, CONTAINER)

/** @throws when the mirror does not have the suite, or cannot be reached */
function made(name: string, suite: Suite, packages: readonly string[]): Promise<string> {
  return built(name, [fileURLToPath(import.meta.url)], async temporary => {
    const tar = `${temporary}.tar`
    try {
      const words = [
        '--variant=minbase',
        `--include=${packages.join(',')}`,
        '--mode=root',
        suite,
        tar,
        MIRROR,
      ]
      await run(['mmdebstrap', ...words], MAKING_MS)
      await run(['mv', tar, temporary])
    } finally {
      await rm(tar, { force: true })
    }
  })
}
