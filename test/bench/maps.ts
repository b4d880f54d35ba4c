import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** `bpftool map`, JSON. */
interface MapShown {
  readonly id: number
  readonly type: string
  readonly bytes_memlock: number
}

const bpftool = <T>(...words: string[]): T =>
  JSON.parse(execFileSync('bpftool', ['--json', 'map', ...words], { encoding: 'utf8' })) as T

/** Maps that a process holds open, by their ids. */
function heldBy(pid: number): number[] {
  const folder = `/proc/${pid}/fdinfo`
  return readdirSync(folder).flatMap(fd => {
    try {
      const id = /^map_id:\s+(\d+)/m.exec(readFileSync(`${folder}/${fd}`, 'utf8'))?.[1]
      return id === undefined ? [] : [Number(id)]
    } catch {
      return [] // closed meanwhile
    }
  })
}

/** Maps within an array of maps: its values are their ids, a byte at a time. */
function within(id: number): number[] {
  const entries = bpftool<{ value: string[] }[]>('dump', 'id', String(id))
  return entries.map(({ value }) => value.reduceRight((sum, byte) => sum * 256 + Number(byte), 0))
}

/**
 * MB of the BPF maps of a process: `memlock`, which is what they take since Linux 6.4; without what a map of socket storage
 * keeps in the sockets, which the kernel does not count.
 */
export function mapsMemory(pid: number): number {
  const shown = new Map(bpftool<MapShown[]>('show').map(map => [map.id, map]))
  const held = heldBy(pid)
  const arrays = held.filter(id => shown.get(id)?.type === 'array_of_maps')
  const all = new Set([...held, ...arrays.flatMap(within)])
  return [...all].reduce((sum, id) => sum + (shown.get(id)?.bytes_memlock ?? 0), 0) / 2 ** 20
}
