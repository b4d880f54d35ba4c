/** The user without rights who runs rootless containers. */

import { chmod, chown, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { cgroupMounts, makeCgroup, removeCgroup } from './cgroup.ts'
import type { Cleanup } from './cleanup.ts'

/** Nobody on the host: known in one mount namespace only. */
const USER = { name: 'sockflux', id: 61_234, firstSubordinate: 6_000_000 }

/** The command line that runs a command as this user. */
export const asUser = ['setpriv', `--reuid=${USER.id}`, `--regid=${USER.id}`, '--clear-groups']

/**
 * A cgroup that the user may divide, where systemd has it for one who is logged in (user@.service, `Delegate=`); runc
 * makes a rootless container's beside that of its own process.
 * @returns the command line that runs a command there: only root may move a process into it
 */
export async function delegate(cleanup: Cleanup): Promise<string[]> {
  const above = `/sockflux-test-${process.pid}`
  const service = `${above}/user.slice/user-${USER.id}.slice/user@${USER.id}.service`
  const own = `${service}/init.scope`
  const unified = cgroupMounts().filter(({ type }) => type === 'cgroup2')
  cleanup.defer(() => removeCgroup(above))
  for (const { path: root } of unified) {
    await makeCgroup(own, [root])
    // cgroups(7), "Cgroups delegation"
    for (const path of [service, own])
      for (const file of ['', 'cgroup.procs', 'cgroup.threads', 'cgroup.subtree_control'])
        await chown(join(root, path, file), USER.id, USER.id)
  }
  return ['sh', '-c', 'echo $$ > "$0" && exec "$@"', `/sys/fs/cgroup${own}/cgroup.procs`]
}

/**
 * Gives the user a directory and folders in it.
 * @returns shell commands that show, in a mount namespace, files that say who he is and devices that he may open
 */
export async function userMounts(directory: string, folders: readonly string[]): Promise<string[]> {
  const { name, id, firstSubordinate } = USER
  await chmod(directory, 0o755)
  for (const path of ['', ...folders]) await chown(join(directory, path), id, id)
  await chmod(join(directory, 'xdg'), 0o700)
  const files = {
    passwd: `${name}:x:${id}:${id}::${directory}:/bin/sh\n`,
    group: `${name}:x:${id}:\n`,
    subuid: `${name}:${firstSubordinate}:65536\n`,
    subgid: `${name}:${firstSubordinate}:65536\n`,
  }
  const commands: string[] = []
  for (const [file, line] of Object.entries(files)) {
    const path = join(directory, file)
    await writeFile(path, `${await readFile(`/etc/${file}`, 'utf8').catch(() => '')}${line}`)
    commands.push(`mount --bind ${path} /etc/${file}`)
  }
  for (const [device, numbers] of Object.entries({ 'net/tun': '10 200', fuse: '10 229' })) {
    const path = join(directory, device.replace('/', '_'))
    commands.push(`mknod -m 666 ${path} c ${numbers}`, `mount --bind ${path} /dev/${device}`)
  }
  return commands
}
