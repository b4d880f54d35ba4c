import { readdirSync, readFileSync } from 'node:fs'

/**
 * MB of the BPF maps that a process holds open: `memlock` in /proc/PID/fdinfo, which is what they take since Linux 6.4;
 * without what a map of socket storage keeps in the sockets, which the kernel does not count.
 */
export function mapsMemory(pid: number): number {
  const folder = `/proc/${pid}/fdinfo`
  const maps = new Map<string, number>()
  for (const fd of readdirSync(folder)) {
    let info: string
    try {
      info = readFileSync(`${folder}/${fd}`, 'utf8')
    } catch {
      continue // closed meanwhile
    }
    const id = /^map_id:\s+(\d+)/m.exec(info)?.[1]
    if (id) maps.set(id, Number(/^memlock:\s+(\d+)/m.exec(info)?.[1]))
  }
  return [...maps.values()].reduce((sum, bytes) => sum + bytes, 0) / 2 ** 20
}
