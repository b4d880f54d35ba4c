import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { removeCgroup } from './cgroup.ts'
import { type Cgroups, cgroupPath, inLayout } from './cgroup_layout.ts'
import { type Closable, closable } from './cleanup.ts'
import { imageArchive, LOAD_IMAGE } from './image.ts'
import { stopProcessesOf, sweep, unmountBelow } from './leftovers.ts'
import { createNetns, inNetns } from './netns.ts'
import type { Container } from './pod.ts'
import { type Child, run, start } from './process.ts'
import { runcWrap } from './runc_wrap.ts'
import { scratch } from './scratch.ts'
import { until } from './until.ts'

export interface DockerContainerSpec {
  name: string
  command: readonly string[]
  /** More words of `docker run`, such as `--publish=8000:80`. */
  options?: readonly string[]
}

export interface Docker {
  socket: string
  /** Docker's data root: the state of containers is in `<dataRoot>/containers/<id>/config.v2.json`. */
  dataRoot: string
  /** State of Docker's own containerd: the bundles are in `<stateDir>/io.containerd.runtime.v2.task/moby/<id>/`. */
  stateDir: string
  /** Docker's bridge, its rules and its `docker-proxy` are here: off the host. */
  netns: string
  /** The command line of the Docker client. */
  command(...words: string[]): string[]
  runContainer(spec: DockerContainerSpec): Promise<Container & { ip: string }>
  /** Starts a command in a container and speaks to it line by line; it ends with its stdin. */
  start(container: Pick<Container, 'id'>, words: readonly string[]): Child
  removeContainer(container: Pick<Container, 'id'>): Promise<void>
}

/** Starts a dockerd of its own with the images of the tests in it; nothing of it touches another one. */
export function startDocker(cgroups?: Cgroups): Promise<Docker & Closable> {
  return closable(async cleanup => {
    await sweep()
    const images = await imageArchive()
    const directory = await scratch(cleanup, 'docker')
    const netns = await createNetns('node')
    cleanup.defer(() => netns.close())
    cleanup.defer(() => unmountBelow(directory))
    cleanup.defer(() => stopProcessesOf(directory))
    const socket = join(directory, 'd.sock')
    const daemon = start(inNetns(netns.path, await commandOf(directory, socket, cgroups)))
    cleanup.defer(() => daemon.close())
    const command = (...words: string[]) => ['docker', '-H', `unix://${socket}`, ...words]
    await Promise.race([
      until('Docker', () => run(command('version')).catch(() => undefined), 30_000),
      daemon.exited.then(() => Promise.reject(new Error(`dockerd ended: ${daemon.stderr.slice(-2000)}`))),
    ])
    const cgroupOf = (id: string) =>
      cgroupPath(cgroups ?? { layout: 'hybrid', driver: 'cgroupfs' }, `/docker/${id}`)
    const ids = new Set<string>()
    const removeContainer = async ({ id }: Pick<Container, 'id'>) => {
      ids.delete(id)
      await run(command('rm', '--force', '--volumes', id))
      await removeCgroup(cgroupOf(id)) // the last one takes the parent along, which Docker leaves
    }
    cleanup.defer(() => Promise.all([...ids].map(id => removeContainer({ id }))))
    await run(command('load', '--quiet', '--input', images))
    const runContainer = async ({ name, command: words, options = [] }: DockerContainerSpec) => {
      const id = (
        await run(command('run', '--detach', '--name', name, ...options, LOAD_IMAGE, ...words))
      ).trim()
      ids.add(id)
      const format = '{{.State.Pid}} {{.NetworkSettings.IPAddress}}'
      const [pid, ip = ''] = (await run(command('inspect', '--format', format, id))).trim().split(' ')
      return { name, id, pid: Number(pid), cgroup: cgroupOf(id), ip }
    }
    const startIn = ({ id }: Pick<Container, 'id'>, words: readonly string[]) => {
      const child = start(command('exec', '--interactive', id, ...words))
      cleanup.defer(() => child.close())
      return child
    }
    const stateDir = join(directory, 'exec/containerd/daemon')
    return {
      socket,
      dataRoot: join(directory, 'data'),
      stateDir,
      netns: netns.path,
      command,
      runContainer,
      start: startIn,
      removeContainer,
    }
  })
}

// --config-file: with /dev/null dockerd fails with EOF. It makes its bridge itself, in its own network namespace.
async function commandOf(directory: string, socket: string, cgroups?: Cgroups): Promise<readonly string[]> {
  await mkdir(join(directory, 'data'))
  await writeFile(join(directory, 'daemon.json'), '{}')
  const runtime = cgroups
    ? [`--add-runtime=wrap=${await runcWrap(directory, cgroups)}`, '--default-runtime=wrap']
    : []
  const command = [
    'dockerd',
    `--config-file=${directory}/daemon.json`,
    `--data-root=${directory}/data`,
    `--exec-root=${directory}/exec`,
    `--pidfile=${directory}/docker.pid`,
    `--host=unix://${socket}`,
    '--bip=10.88.20.1/24',
    '--exec-opt=native.cgroupdriver=cgroupfs',
    ...runtime,
  ]
  return cgroups ? inLayout(cgroups, command) : command
}
