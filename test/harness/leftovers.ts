import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { removeCgroup, removeUnused } from './cgroup.ts'
import { cgroupPath, DRIVERS } from './cgroup_layout.ts'
import { run, signal } from './process.ts'
import { SCRATCH_NAME } from './scratch.ts'
import { until } from './until.ts'

/** Removes what test processes left that were killed before they could: the directories tell their pids. */
export async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const pid = SCRATCH_NAME.exec(name)?.[1]
    if (pid === undefined || existsSync(`/proc/${pid}`)) continue
    // Another test file may sweep the same at the same time.
    await remove(join(tmpdir(), name), pid).catch(() => {})
  }
}

async function remove(directory: string, pid: string): Promise<void> {
  for (const pid of await containedIn(directory)) signal(pid, 'SIGKILL')
  await stopProcessesOf(directory, 'SIGKILL')
  for (const path of [`/sockflux-test-${pid}`, ...(await cgroupsOf(directory))]) await removeCgroup(path)
  await removeUnused('/libpod_parent/conmon')
  await stopProcessesOf(directory, 'SIGKILL')
  await unmountBelow(directory)
  await rm(directory, { recursive: true, force: true })
}

/** From what a runtime keeps in its directory to the cgroup that it made for it. */
const CGROUPS: Readonly<Record<string, (name: string) => string>> = {
  // `<namespace>_<pod>_<uid>`
  pods: name => `/kubepods/burstable/pod${name.slice(name.lastIndexOf('_') + 1)}`,
  'data/containers': id => `/docker/${id}`,
  'root/overlay-containers': id => `/libpod_parent/libpod-${id}`,
}

async function cgroupsOf(directory: string): Promise<string[]> {
  const paths = Object.entries(CGROUPS).map(async ([folder, path]) => {
    const names = await readdir(join(directory, folder)).catch(() => [])
    return names.flatMap(name => DRIVERS.map(driver => cgroupPath({ layout: 'hybrid', driver }, path(name))))
  })
  return (await Promise.all(paths)).flat()
}

/** Stops the runtime of a directory and what outlives it by design: shims, monitors, podman's keeper of a namespace. */
export async function stopProcessesOf(
  directory: string,
  how: 'SIGTERM' | 'SIGKILL' = 'SIGTERM',
): Promise<void> {
  const keeper = Number(await readFile(join(directory, 't/pause.pid'), 'utf8').catch(() => 0))
  if (keeper > 0 && (await commandOf(keeper))[0] === 'podman') signal(keeper, 'SIGKILL')
  for (const pid of await processesOf(directory)) signal(pid, how)
  await until(
    `the end of the processes of ${directory}`,
    async () => (await processesOf(directory)).length === 0,
  )
}

const RUNTIMES = /^(containerd|ctr$|dockerd$|docker-proxy$|conmon$|podman$|slirp4netns$)/

function processesOf(directory: string): Promise<number[]> {
  return processes(async pid => {
    const [program = '', ...words] = await commandOf(pid)
    const isOfDirectory = (word: string) =>
      word.startsWith(`${directory}/`) || word.includes(`=${directory}/`)
    return RUNTIMES.test(basename(program)) && words.some(isOfDirectory)
  })
}

// Processes whose root is an overlay of layers in the directory: those in its containers.
function containedIn(directory: string): Promise<number[]> {
  return processes(async pid => {
    const mounts = await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => '')
    const root = mounts.split('\n').find(line => line.split(' ')[4] === '/')
    return root?.includes(`${directory}/`) ?? false
  })
}

async function processes(isWanted: (pid: number) => Promise<boolean>): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const wanted = await Promise.all(pids.map(isWanted))
  return pids.filter((_, index) => wanted[index])
}

async function commandOf(pid: number): Promise<string[]> {
  return (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
}

/** Unmounts what is mounted below a directory, the last mounted first. */
export async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n')
  const points = mounts.map(line => line.split(' ')[1] ?? '')
  for (const point of points.filter(path => path.startsWith(`${directory}/`)).reverse())
    await run(['umount', point])
}
