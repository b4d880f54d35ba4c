/** Names: the programs of all signals send them when they first see a cgroup or a process. */

import type { Signal } from './signal.ts'

export const cgroupPath: Signal = {
  name: 'cgroup_path',
  programs: {},
  gives: 'names of cgroups',
  records: ['cgroup_path'],
  ring: { record: 'cgroup_path', reader: 'cgroups' },
  grows: () => [{ kind: 'table', map: 'cgroup_seen', used: 'cgroups', most: 16_384 }],
}

export const process: Signal = {
  name: 'process',
  programs: {},
  gives: 'names of processes',
  records: ['process'],
  ring: { record: 'process', reader: 'processes' },
  grows: () => [{ kind: 'table', map: 'process_seen', used: 'processes', most: 16_384 }],
}
