import { createHash } from 'node:crypto'
import { copyFile, mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { built, HARNESS, loadBinary, pauseBinary } from './binary.ts'
import { closable } from './cleanup.ts'
import { run } from './process.ts'
import { scratch } from './scratch.ts'

// `localhost/` is looked up on no registry.
export const LOAD_IMAGE = 'localhost/sockflux/load:test'
export const PAUSE_IMAGE = 'localhost/sockflux/pause:test'

const BUSYBOX = '/bin/busybox' // package busybox-static
const GOARCH: Partial<Record<NodeJS.Architecture, string>> = { x64: 'amd64', arm64: 'arm64' }

/**
 * A docker-archive with both images, made without a registry or a daemon; `ctr images import`, `docker load`
 * and `podman load` take it. Format: github.com/moby/moby, image/spec/spec.md, "Combined Image JSON +
 * Filesystem Changeset".
 */
export async function imageArchive(): Promise<string> {
  const [load, pause] = await Promise.all([loadBinary(), pauseBinary()])
  const sources = [load, pause, BUSYBOX, join(HARNESS, 'image.ts')]
  return built('images.tar', sources, output => pack(output, load, pause))
}

async function pack(output: string, load: string, pause: string): Promise<void> {
  const work = await closable(async cleanup => ({ directory: await scratch(cleanup, 'image') }))
  try {
    const { directory } = work
    const archive = join(directory, 'archive')
    await mkdir(archive)
    const manifest = [
      await addImage(archive, LOAD_IMAGE, await loadRoot(join(directory, 'load'), load), ['/bin/sh']),
      await addImage(archive, PAUSE_IMAGE, await pauseRoot(join(directory, 'pause'), pause), ['/pause']),
    ]
    await writeFile(join(archive, 'manifest.json'), JSON.stringify(manifest))
    await tar(output, archive)
  } finally {
    await work.close()
  }
}

async function loadRoot(root: string, load: string): Promise<string> {
  for (const folder of ['bin', 'dev', 'etc', 'proc', 'sys', 'tmp'])
    await mkdir(join(root, folder), { recursive: true })
  await copyFile(BUSYBOX, join(root, 'bin/busybox'))
  await copyFile(load, join(root, 'bin/load'))
  const applets = (await run([BUSYBOX, '--list'])).trim().split('\n')
  for (const applet of applets.filter(name => name !== 'busybox'))
    await symlink('busybox', join(root, 'bin', applet))
  await writeFile(join(root, 'etc/passwd'), 'root:x:0:0:root:/:/bin/sh\n')
  return root
}

async function pauseRoot(root: string, pause: string): Promise<string> {
  await mkdir(root)
  await copyFile(pause, join(root, 'pause'))
  return root
}

// Files are named by their SHA-256: a layer's is its `diff_id`, the configuration's is the image's id.
async function addImage(archive: string, name: string, root: string, Cmd: string[]) {
  const unnamed = join(archive, 'layer.tar')
  await tar(unnamed, root)
  const layer = sha256(await readFile(unnamed))
  await rename(unnamed, join(archive, `${layer}.tar`))
  const config = JSON.stringify({
    architecture: GOARCH[process.arch],
    os: 'linux',
    config: { Env: ['PATH=/bin'], Cmd, WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  })
  const id = sha256(config)
  await writeFile(join(archive, `${id}.json`), config)
  return { Config: `${id}.json`, RepoTags: [name], Layers: [`${layer}.tar`] }
}

function tar(output: string, directory: string): Promise<string> {
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0']
  return run(['tar', ...same, '-C', directory, '-cf', output, '.'])
}

function sha256(content: string | Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
