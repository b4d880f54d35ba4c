/** Where a socket's slot is found, with cookies that the kernel gives seldom. */

import t from 'tap'
import { needs } from '../harness/skip.ts'
import { parts } from './bpf/parts.ts'

const real = { skip: needs('root', 'bpf') }

/** Another one that has the same place: `TCP_PLACE_BITS`. */
const PLACES = 65_536n

for (const [what, cookie] of [
  ['a cookie as most are', 70_000n],
  ['the largest that fits its word', 2n ** 40n - 1n],
  ['one of those that the kernel makes within an interrupt of another', 2n ** 64n - 5n],
] as const)
  t.test(`${what}: one slot for a socket, and its own`, real, async t => {
    const object = parts(t)
    const run = async (program: string, cookie: bigint, index = 0) => {
      const context = Buffer.alloc(24)
      context.writeBigUInt64LE(cookie, 0)
      context.writeUInt32LE(index, 8)
      t.equal(await object.run(program, context), 0)
      return { held: context.readUInt32LE(12), at: context.readUInt32LE(16) }
    }
    const other = cookie - PLACES
    t.same(await run('hold', cookie, 0), { held: 1, at: 1 })
    t.same(await run('hold', cookie, 1), { held: 0, at: 1 }, 'it has one already')
    t.same(await run('hold', other, 2), { held: 1, at: 3 }, 'another one with its place')
    t.match(await run('look', cookie), { at: 1 }, 'which leaves it the first')
    t.same(await run('hold', other, 3), { held: 0, at: 3 })
    t.match(await run('leave_it', other), { at: 0 })
    t.match(await run('look', cookie), { at: 1 })
    t.match(await run('leave_it', cookie), { at: 0 })
    t.same(await run('hold', other, 2), { held: 1, at: 3 }, 'the place is free')
  })
