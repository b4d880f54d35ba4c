import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cleanup, Closable } from './cleanup.ts'
import { closable } from './cleanup.ts'
import { run } from './process.ts'
import { scratch } from './scratch.ts'

export interface Netns {
  /** A file that `nsenter --net=` and setns(2) accept; /proc/PID/ns/net is one too. */
  path: string
}

/**
 * Makes a network namespace with its loopback up, held by a file of its own in the temporary directory.
 * Not `ip netns add`: that leaves a mount on /run/netns behind for good.
 */
export function createNetns(name = 'net'): Promise<Netns & Closable> {
  return closable(async (cleanup: Cleanup) => {
    const directory = await scratch(cleanup, 'netns')
    const path = join(directory, name)
    await writeFile(path, '')
    cleanup.defer(() => run(['umount', path]))
    await run(['unshare', `--net=${path}`, 'ip', 'link', 'set', 'lo', 'up'])
    return { path }
  })
}

/**
 * The command line that runs `command` in a network namespace, with the pid that spawn() tells. Not
 * `ip netns exec`: that mounts /sys anew, and /sys/fs/cgroup is gone for the command.
 */
export function inNetns(path: string, command: readonly string[]): string[] {
  return ['nsenter', `--net=${path}`, ...command]
}
