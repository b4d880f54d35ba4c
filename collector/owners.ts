/** From a row to the group that it counts in, by what the probe says of cgroups and network namespaces. */

import type { Who } from '../probe/wire/message.ts'
import type { Group } from './fold.ts'

/** From a row's network namespace to the group of a container that has no cgroup of its own, where there is any. */
export function netnsOwners(who: Who, container: (id: string) => Group): Map<number, Group> | undefined {
  const owned = Object.entries(who.netns ?? {})
  return owned.length > 0 ? new Map(owned.map(([inode, id]) => [Number(inode), container(id)])) : undefined
}

/** From a row's cgroup to its group. Rows of one cgroup mostly come together, so the last answer is kept. */
export function cgroupOwners(
  who: Who,
  container: (id: string) => Group,
  host: Group,
): (hierarchy: number, cgroup: number) => Group {
  const groups = new Map<number, Map<number, Group>>()
  for (const [key, id] of Object.entries(who.cgroups)) {
    const [hierarchy, cgroup] = key.split(':').map(Number)
    if (hierarchy === undefined || cgroup === undefined) continue
    const inHierarchy = groups.get(hierarchy) ?? new Map<number, Group>()
    groups.set(hierarchy, inHierarchy.set(cgroup, container(id)))
  }
  let lastHierarchy = -1
  let lastCgroup = -1
  let last = host
  return (hierarchy, cgroup) => {
    if (cgroup !== lastCgroup || hierarchy !== lastHierarchy) {
      lastHierarchy = hierarchy
      lastCgroup = cgroup
      last = groups.get(hierarchy)?.get(cgroup) ?? host
    }
    return last
  }
}
