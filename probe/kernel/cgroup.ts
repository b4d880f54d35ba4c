/** How this host lays out its cgroups. */

import { closeSync, fstatSync, statfsSync, statSync } from 'node:fs'
import { type Finding, type Host, textIn } from './finding.ts'
import { cgroupLine, mountLine, surroundingsOf } from './surroundings.ts'

/** cgroups(7): what may stand beside controllers in the options of a v1 mount. */
const NO_CONTROLLER = /^(r[wo]|xattr|clone_children|noprefix|none|release_agent=.*)$/

/** linux/magic.h */
const CGROUP2_SUPER_MAGIC = 0x63677270
/** fs/kernfs/dir.c: the root is created first. */
const ROOT_INODE = 1

/** Blank, tab, newline and backslash are escaped as `\040`, `\011`, `\012` and `\134`. */
const decoded = (path: string): string =>
  path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** proc_pid_mountinfo(5): `… root mountpoint … - type source options`. */
function mountsIn(env: Pick<Host, 'root'>) {
  return (textIn(env, '/proc/self/mountinfo') ?? '').split('\n').flatMap(line => {
    const [mount = '', file = ''] = line.split(' - ')
    const [type = '', , options = ''] = file.split(' ')
    const controllers = options.split(',').filter(word => !NO_CONTROLLER.test(word))
    const [, , , root = '', path = ''] = mount.split(' ').map(decoded)
    return type.startsWith('cgroup') ? [{ type, root, path, controllers }] : []
  })
}

/** The root of the hierarchy, also as a process in a cgroup namespace of its own sees it: `/../..` (cgroup_namespaces(7)). */
const isRoot = (root: string): boolean => /^(\/|(\/\.\.)+)$/.test(root)

/** Another mount may hide it, and in a cgroup namespace its root is another group. A test directory in place of `/` has no such files. */
function isWhole({ root }: Pick<Host, 'root'>, path: string): boolean {
  if (root !== '/') return true
  try {
    return statfsSync(path).type === CGROUP2_SUPER_MAGIC && statSync(path).ino === ROOT_INODE
  } catch {
    return false
  }
}

/** Where the whole hierarchy of cgroup v2 is mounted: its root, not a group of it. */
export function cgroup2In(env: Pick<Host, 'root'>): string | undefined {
  const mounts = mountsIn(env).filter(({ type, root }) => type === 'cgroup2' && isRoot(root))
  return mounts.find(({ path }) => isWhole(env, path))?.path
}

export async function cgroups(env: Host): Promise<Finding> {
  const mounts = mountsIn(env)
  const v1 = mounts.filter(({ type }) => type === 'cgroup').flatMap(({ controllers }) => controllers)
  const v2 = cgroup2In(env)
  const part = v2 ? undefined : mounts.find(({ type }) => type === 'cgroup2')?.path
  const layout = v1.length === 0 ? (v2 ? 'unified' : 'not mounted') : v2 ? 'hybrid' : 'legacy'
  const places = [
    v2 && `cgroup2 at ${v2}`,
    part && `what is at ${part} is not the root of cgroup2`,
    v1.length > 0 && `v1 has ${[...new Set(v1)].join(', ')}`,
  ]
  const found = [layout, places.filter(Boolean).join('; ')].filter(Boolean).join(': ')
  const where = surroundingsOf(env)
  if (v2) return { name: 'cgroups', ok: true, found }
  try {
    const { mountCgroup2 } = await import('bcc-bindings')
    const own = mountCgroup2()
    const isRoot = fstatSync(own).ino === ROOT_INODE
    closeSync(own)
    if (isRoot) return { name: 'cgroups', ok: true, found: `${found}; the probe mounts cgroup2 for itself` }
    return {
      name: 'cgroups',
      ok: 'warn',
      found: `${found}; in a cgroup namespace, where the peers of UDP sockets that are not connected are known of this cgroup only, and before Linux 6.3 UDP and single RTT samples of others are not counted`,
      remedy: cgroupLine[where](),
    }
  } catch {
    return {
      name: 'cgroups',
      ok: 'warn',
      found: `${found}, and cgroup2 cannot be mounted: UDP is not counted, and before Linux 6.3 there are no single RTT samples`,
      remedy:
        where === 'host'
          ? 'give it CAP_SYS_ADMIN, or mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified'
          : mountLine[where]('/sys/fs/cgroup'),
    }
  }
}
