import { existsSync } from 'node:fs'
import { readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { removeCgroup } from './cgroup.ts'
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
  await stopProcessesOf(directory)
  for (const uid of await podsIn(join(directory, 'pods'))) await removeCgroup(`/kubepods/burstable/pod${uid}`)
  await stopProcessesOf(directory)
  await unmountBelow(directory)
  await rm(directory, { recursive: true, force: true })
}

// `<namespace>_<pod>_<uid>`
async function podsIn(logs: string): Promise<string[]> {
  const names = await readdir(logs).catch(() => [])
  return names.map(name => name.slice(name.lastIndexOf('_') + 1))
}

/** Stops the containerd of a directory and its shims, which outlive containerd by design. */
export async function stopProcessesOf(directory: string): Promise<void> {
  for (const pid of await processesOf(directory)) signal(pid, 'SIGTERM')
  await until(
    `the end of the processes of ${directory}`,
    async () => (await processesOf(directory)).length === 0,
  )
}

async function processesOf(directory: string): Promise<number[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.all(
    pids.map(async pid => {
      const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')
      const [program = '', ...words] = text.split('\0')
      const isOurs = words.some(word => word.startsWith(`${directory}/`))
      return isOurs && /^(containerd|ctr$)/.test(basename(program))
    }),
  )
  return pids.filter((_, index) => found[index]).map(Number)
}

/** Unmounts what is mounted below a directory, the last mounted first. */
export async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n')
  const points = mounts.map(line => line.split(' ')[1] ?? '')
  for (const point of points.filter(path => path.startsWith(`${directory}/`)).reverse())
    await run(['umount', point])
}
