import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { removeCgroup } from './cgroup.ts'
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
    await remove(join(tmpdir(), name)).catch(() => {})
  }
}

async function remove(directory: string): Promise<void> {
  for (const pid of await containedIn(directory)) signal(pid, 'SIGKILL')
  await stopProcessesOf(directory)
  for (const uid of await podsIn(join(directory, 'pods')))
    for (const driver of DRIVERS)
      await removeCgroup(cgroupPath({ layout: 'hybrid', driver }, `/kubepods/burstable/pod${uid}`))
  await stopProcessesOf(directory)
  await unmountBelow(directory)
  await rm(directory, { recursive: true, force: true })
}

// `<namespace>_<pod>_<uid>`
async function podsIn(logs: string): Promise<string[]> {
  const names = await readdir(logs).catch(() => [])
  return names.map(name => name.slice(name.lastIndexOf('_') + 1))
}

/** Stops the runtime of a directory and what outlives it by design: shims, monitors, podman's keeper of a namespace. */
export async function stopProcessesOf(directory: string): Promise<void> {
  const keeper = Number(await readFile(join(directory, 'state/pause.pid'), 'utf8').catch(() => 0))
  if (keeper > 0 && (await commandOf(keeper))[0] === 'podman') signal(keeper, 'SIGKILL')
  for (const pid of await processesOf(directory)) signal(pid, 'SIGTERM')
  await until(
    `the end of the processes of ${directory}`,
    async () => (await processesOf(directory)).length === 0,
  )
}

const RUNTIMES = /^(containerd|ctr$|dockerd$|docker-proxy$|conmon$|podman$|slirp4netns$)/

function processesOf(directory: string): Promise<number[]> {
  return processes(async pid => {
    const [program = '', ...words] = await commandOf(pid)
    return RUNTIMES.test(basename(program)) && words.some(word => word.startsWith(`${directory}/`))
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
