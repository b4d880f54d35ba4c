/** Containers of runc alone, without a daemon above it: as fast as a machine can start any. */

import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { loadBinary } from './binary.ts'
import { removeCgroup } from './cgroup.ts'
import { type Closable, closable } from './cleanup.ts'
import { sweep } from './leftovers.ts'
import { scratch } from './scratch.ts'

export interface RuncContainer {
  id: string
  /** Below the cgroup that all containers of this runc are in. */
  cgroup: string
  annotations: Record<string, string>
  /** Path of the network namespace that it joins. */
  netns: string
  /** Of /bin/load. */
  words: readonly string[]
}

export interface Runc {
  /** `<root>/<id>/state.json` is there while a container is. */
  root: string
  /** Makes the bundle. @returns the command line that is a container from its start to its removal */
  container(spec: RuncContainer): Promise<string[]>
}

/** Bundles lie where podman and CRI-O have them, and stay. */
export function startRunc(): Promise<Runc & Closable> {
  return closable(async cleanup => {
    await sweep()
    const directory = await scratch(cleanup, 'runc')
    const [root, rootfs] = [join(directory, 'state'), join(directory, 'rootfs')]
    for (const folder of ['bin', 'dev', 'proc']) await mkdir(join(rootfs, folder), { recursive: true })
    await copyFile(await loadBinary(), join(rootfs, 'bin/load'))
    const parent = `/sockflux-test-${process.pid}`
    cleanup.defer(() => removeCgroup(parent))
    const container = async (spec: RuncContainer) => {
      const bundle = join(directory, 'overlay-containers', spec.id, 'userdata')
      await mkdir(bundle, { recursive: true })
      await writeFile(join(bundle, 'config.json'), JSON.stringify(configuration(spec, parent, rootfs)))
      return ['runc', '--root', root, 'run', '--bundle', bundle, spec.id]
    }
    return { root, container }
  })
}

/** opencontainers/runtime-spec, config.md and config-linux.md. */
function configuration({ cgroup, annotations, netns, words }: RuncContainer, parent: string, root: string) {
  const own = ['pid', 'mount', 'ipc', 'uts'].map(type => ({ type }))
  return {
    ociVersion: '1.0.2',
    process: { user: { uid: 0, gid: 0 }, args: ['/bin/load', ...words], cwd: '/' },
    root: { path: root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs' },
    ],
    annotations,
    linux: { cgroupsPath: parent + cgroup, namespaces: [...own, { type: 'network', path: netns }] },
  }
}
