/** The container image of deploy/container, built by buildah without a registry. */

import { copyFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { built } from '../binary.ts'
import { closable } from '../cleanup.ts'
import { run } from '../process.ts'
import { REPOSITORY } from '../repository.ts'
import { scratch } from '../scratch.ts'
import { debianPackage } from './package.ts'
import { containerRoot } from './root.ts'

const CONTAINERFILE = join(REPOSITORY, 'deploy/container/Containerfile')
const BUILDING_MS = 120_000

/**
 * A docker-archive.
 * @param name as the manifests have it, with a tag
 */
export async function imageArchive(name: string): Promise<string> {
  const deb = await debianPackage('0.1.0')
  const base = await containerRoot('bookworm')
  const sources = [deb, base, CONTAINERFILE, fileURLToPath(import.meta.url)]
  return built('sockflux-image.tar', sources, output => build(output, name, deb, base))
}

async function build(output: string, name: string, deb: string, base: string): Promise<void> {
  const work = await closable(async cleanup => ({ directory: await scratch(cleanup, 'buildah') }))
  try {
    const { directory } = work
    const store = [
      '--root',
      join(directory, 'root'),
      '--runroot',
      join(directory, 'run'),
      '--storage-driver',
      'overlay',
    ]
    const buildah = (...words: string[]) => run(['buildah', ...store, ...words], BUILDING_MS)
    const container = (await buildah('from', 'scratch')).trim()
    await buildah('add', '--quiet', container, base, '/')
    await buildah('commit', '--quiet', '--rm', container, 'localhost/base')
    const context = join(directory, 'context')
    await run(['mkdir', context])
    await copyFile(deb, join(context, 'sockflux.deb'))
    const words = [
      '--build-arg',
      'BASE=localhost/base',
      '--tag',
      'localhost/sockflux',
      '--file',
      CONTAINERFILE,
      context,
    ]
    await buildah('bud', '--quiet', '--isolation', 'chroot', ...words)
    await rm(output, { force: true })
    await buildah('push', '--quiet', 'localhost/sockflux', `docker-archive:${output}:${name}`)
  } finally {
    await work.close()
  }
}
