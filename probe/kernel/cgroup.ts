/** How this host lays out its cgroups. */

import { closeSync } from 'node:fs'
import { type Finding, type Host, textIn } from './finding.ts'

/** cgroups(7): what may stand beside controllers in the options of a v1 mount. */
const NO_CONTROLLER = /^(r[wo]|xattr|clone_children|noprefix|none|release_agent=.*)$/

/** proc_pid_mountinfo(5): `… root mountpoint … - type source options`. */
function mountsIn(env: Pick<Host, 'root'>) {
  return (textIn(env, '/proc/self/mountinfo') ?? '').split('\n').flatMap(line => {
    const [mount = '', file = ''] = line.split(' - ')
    const [type = '', , options = ''] = file.split(' ')
    const controllers = options.split(',').filter(word => !NO_CONTROLLER.test(word))
    return type.startsWith('cgroup') ? [{ type, path: mount.split(' ')[4] ?? '', controllers }] : []
  })
}

/** Where the hierarchy of cgroup v2 is mounted. */
export function cgroup2In(env: Pick<Host, 'root'>): string | undefined {
  return mountsIn(env).find(({ type }) => type === 'cgroup2')?.path
}

export async function cgroups(env: Host): Promise<Finding> {
  const mounts = mountsIn(env)
  const v1 = mounts.filter(({ type }) => type === 'cgroup').flatMap(({ controllers }) => controllers)
  const v2 = cgroup2In(env)
  const layout = v1.length === 0 ? (v2 ? 'unified' : 'not mounted') : v2 ? 'hybrid' : 'legacy'
  const places = [v2 && `cgroup2 at ${v2}`, v1.length > 0 && `v1 has ${[...new Set(v1)].join(', ')}`]
  const found = [layout, places.filter(Boolean).join('; ')].filter(Boolean).join(': ')
  if (v2) return { name: 'cgroups', ok: true, found }
  try {
    const { mountCgroup2 } = await import('bcc-bindings')
    closeSync(mountCgroup2())
    return { name: 'cgroups', ok: true, found: `${found}; the probe mounts cgroup2 for itself` }
  } catch {
    return {
      name: 'cgroups',
      ok: 'warn',
      found: `${found}, and cgroup2, which UDP and single RTT samples need, cannot be mounted`,
      remedy: 'give it CAP_SYS_ADMIN, or mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified',
    }
  }
}
