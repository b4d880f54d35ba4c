import { numberOf, type Rows, viewOf } from '../../wire/layout.ts'

/** Rows of flows by the inode of their network namespace; none for what is no flow. */
export function byNetns({ layout, bytes }: Rows): Map<number, Rows> {
  const found = new Map<number, Buffer[]>()
  if (!layout.fields.some(({ name }) => name === 'socket')) return new Map()
  const netns = numberOf(layout, 'netns')
  const view = viewOf(bytes)
  for (let at = 0; at < bytes.length; at += layout.size) {
    const own = found.get(netns(view, at)) ?? []
    own.push(bytes.subarray(at, at + layout.size))
    found.set(netns(view, at), own)
  }
  return new Map([...found].map(([inode, rows]) => [inode, { layout, bytes: Buffer.concat(rows) }]))
}
