/** A machine with Debian and nothing else: a root file system of its own under a real systemd, in pure cgroup v2. */

import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeCgroup } from '../cgroup.ts'
import { type Closable, closable } from '../cleanup.ts'
import { createNetns } from '../netns.ts'
import { run } from '../process.ts'
import { scratch } from '../scratch.ts'
import { hierarchies, SystemdBox } from '../systemd_box.ts'
import { machineRoot, type Suite } from './root.ts'

/** Where the machine finds what it is given. */
export const GIVEN = '/mnt'

export interface Machine extends Closable {
  readonly box: SystemdBox
  /** A directory of this machine that is GIVEN there. */
  readonly given: string
  /** Its network namespace. */
  readonly netns: string
}

/** @throws when there is no such root file system */
export async function openMachine(suite: Suite): Promise<Machine> {
  const archive = await machineRoot(suite)
  return closable(async cleanup => {
    const directory = await scratch(cleanup, 'machine')
    const [root, given] = [join(directory, 'root'), join(directory, 'given')]
    await mkdir(root)
    await mkdir(given)
    await run(['tar', '-xf', archive, '-C', root, '--exclude=./dev/*'], 120_000)
    // with a machine id it is no first boot
    await writeFile(join(root, 'etc/machine-id'), '5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e\n')
    await writeFile(join(root, 'etc/hostname'), 'machine\n')
    await writeFile(join(root, 'etc/hosts'), '127.0.0.1 localhost\n')
    const netns = await createNetns()
    cleanup.defer(() => netns.close())
    const cgroup = `/sockflux-test-${process.pid}-${suite}`
    await makeCgroup(cgroup, hierarchies())
    const mounts = [`--bind=${given}:${GIVEN}`]
    const box = new SystemdBox(root, netns.path, cgroup, mounts, { layout: 'v2', driver: 'systemd' })
    cleanup.defer(() => box.stop())
    await box.boot()
    return { box, given, netns: netns.path }
  })
}
