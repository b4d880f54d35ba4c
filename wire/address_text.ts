/** Addresses of records for people: sixteen bytes, an IPv4 address mapped into IPv6 (RFC 4291, 2.5.5.2). */

import { isIP } from 'node:net'

/** `::ffff:` of an IPv4 address: the third word as a little-endian number. */
const MAPPED = 0xffff0000

/**
 * As RFC 5952 says: `10.0.0.1`, `2001:db8::1`.
 * @param words the sixteen bytes as four little-endian words
 */
export function addressText(a: number, b: number, c: number, d: number): string {
  if (a === 0 && b === 0 && c >>> 0 === MAPPED) return bytesOf(d).join('.')
  const groups = [a, b, c, d].flatMap(word => {
    const [first, second, third, fourth] = bytesOf(word)
    return [(first << 8) | second, (third << 8) | fourth]
  })
  const { start, length } = longestZeros(groups)
  const text = (some: readonly number[]) => some.map(group => group.toString(16)).join(':')
  return length < 2 ? text(groups) : `${text(groups.slice(0, start))}::${text(groups.slice(start + length))}`
}

const bytesOf = (word: number): [number, number, number, number] => [
  word & 0xff,
  (word >>> 8) & 0xff,
  (word >>> 16) & 0xff,
  word >>> 24,
]

/** The first of the longest runs. */
function longestZeros(groups: readonly number[]): { start: number; length: number } {
  let [best, length] = [0, 0]
  for (let start = 0; start < groups.length; start++) {
    let end = start
    while (groups[end] === 0) end++
    if (end - start > length) [best, length] = [start, end - start]
  }
  return { start: best, length }
}

/** The sixteen bytes of an address as text; undefined for what is none. */
export function addressBytes(text: string): Uint8Array | undefined {
  const version = isIP(text)
  if (version === 0 || text.includes('%')) return undefined
  if (version === 4)
    return Uint8Array.from([...Array(10).fill(0), 0xff, 0xff, ...text.split('.').map(Number)])
  const [, front = text, v4] = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text) ?? []
  const last = v4?.split('.').map(Number)
  const tail = last
    ? `${((last[0]! << 8) | last[1]!).toString(16)}:${((last[2]! << 8) | last[3]!).toString(16)}`
    : ''
  const [before = '', after] = `${front}${tail}`.split('::')
  const groups = (some: string) =>
    some.split(':').flatMap(group => (group === '' ? [] : [Number.parseInt(group, 16)]))
  const [head, end] = [groups(before), groups(after ?? '')]
  const all = [...head, ...Array(8 - head.length - end.length).fill(0), ...end]
  return Uint8Array.from(all.flatMap(group => [group >> 8, group & 0xff]))
}
