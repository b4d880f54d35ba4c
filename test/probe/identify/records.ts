import type { Field, Layout } from '../../../wire/layout.ts'

/** The part of the records that identifying reads, as the kernel would lay it out. */
const number = (name: string, offset: number, type: 'u32' | 'u64'): Field => ({
  name,
  offset,
  size: type === 'u32' ? 4 : 8,
  type,
})

export const tcpFlow: Layout = {
  name: 'tcp_flow',
  size: 16,
  fields: [number('cgroup', 0, 'u64'), number('hierarchy', 8, 'u32'), number('netns', 12, 'u32')],
}

/** As `cgroup_path.h` has them. */
const [LEVELS, NAME_BYTES, NAMES_BYTES] = [32, 160, 2048]

export const cgroupPath: Layout = {
  name: 'cgroup_path',
  size: 16 + NAMES_BYTES + NAME_BYTES,
  fields: [
    number('cgroup', 0, 'u64'),
    number('hierarchy', 8, 'u32'),
    {
      name: 'names',
      offset: 16,
      size: NAMES_BYTES + NAME_BYTES,
      type: 'bytes',
      typedef: 'cgroup_names_t',
    },
  ],
}

const EXE_BYTES = 48
const EXE = ['exe', 'exe_parent', 'exe_parent2']

export const processLayout: Layout = {
  name: 'process',
  size: 56 + EXE.length * EXE_BYTES,
  fields: [
    number('started_ns', 0, 'u64'),
    number('pid', 8, 'u32'),
    number('parent', 12, 'u32'),
    number('uid', 16, 'u32'),
    { name: 'comm', offset: 24, size: 16, type: 'bytes', typedef: 'comm_t' },
    { name: 'parent_comm', offset: 40, size: 16, type: 'bytes', typedef: 'comm_t' },
    ...EXE.map((name, index) => ({
      name,
      offset: 56 + index * EXE_BYTES,
      size: EXE_BYTES,
      type: 'bytes' as const,
      typedef: 'exe_name_t',
    })),
  ],
}

/** What the kernel sends when a process first owns a flow. */
export function processRecord(pid: number, comm: string, exe: string): Buffer {
  const record = Buffer.alloc(processLayout.size)
  record.writeBigUInt64LE(7_000_000_000n, 0)
  record.writeUInt32LE(pid, 8)
  record.writeUInt32LE(1, 12)
  record.writeUInt32LE(1000, 16)
  record.write(comm, 24)
  record.write('init', 40)
  const names = exe.split('/').filter(Boolean).reverse().slice(0, EXE.length)
  for (const [index, name] of names.entries())
    record.write(name.slice(0, EXE_BYTES - 1), 56 + index * EXE_BYTES)
  return record
}

/** A row of a flow. */
export function flow(cgroup: number, netns = 0, hierarchy = 1): Buffer {
  const row = Buffer.alloc(tcpFlow.size)
  row.writeBigUInt64LE(BigInt(cgroup), 0)
  row.writeUInt32LE(hierarchy, 8)
  row.writeUInt32LE(netns, 12)
  return row
}

/** What the kernel sends when a cgroup first owns a socket; names are cut as there. */
export function pathRecord(cgroup: number, path: string, hierarchy = 1): Buffer {
  const record = Buffer.alloc(cgroupPath.size)
  record.writeBigUInt64LE(BigInt(cgroup), 0)
  record.writeUInt32LE(hierarchy, 8)
  record.fill('left of another record', 16)
  let at = 0
  for (const name of path.split('/').filter(Boolean).reverse().slice(0, LEVELS))
    if (at < NAMES_BYTES) at += record.write(`${name.slice(0, NAME_BYTES - 1)}\0`, 16 + at)
  record[16 + at] = 0
  return record
}

/** The path of a process' cgroup that the kernel side takes: the default hierarchy's, or that of a v1 controller. */
export function pathIn(lines: string): string {
  const paths = new Map(
    lines
      .split('\n')
      .filter(line => /^\d+:/.test(line))
      .map(line => line.split(':'))
      .flatMap(([, controllers = '', ...path]) =>
        controllers.split(',').map(controller => [controller, path.join(':')] as const),
      ),
  )
  const order = ['', 'pids', 'memory', 'cpu', 'devices', 'freezer']
  return order.map(controller => paths.get(controller) ?? '/').find(path => path !== '/') ?? '/'
}
