/** Sockets that found no slot, and more of them than are remembered. */

import t from 'tap'
import { LOST } from '../../wire/records.ts'
import { needs } from '../harness/skip.ts'
import { parts } from './bpf/parts.ts'

const AT_ONCE = 64
const TIMES = 320 // 8,192 are remembered

t.test('each is counted once, however often it is seen', { skip: needs('root', 'bpf') }, async t => {
  const object = parts(t)
  const lost = object.map('lost').view()
  const counted = () => Number(lost.readBigUInt64LE(8 * LOST.indexOf('slot')))
  const refuse = async (again: boolean) => {
    for (let time = 0; time < TIMES; time++) {
      const context = Buffer.alloc(16)
      context.writeBigUInt64LE(BigInt(1 + time * AT_ONCE), 0)
      context.writeUInt32LE(AT_ONCE, 8)
      context.writeUInt32LE(Number(again), 12)
      await object.run('refuse_them', context)
    }
  }
  await refuse(false)
  t.equal(counted(), TIMES * AT_ONCE)
  await refuse(true)
  await refuse(true)
  t.equal(counted(), TIMES * AT_ONCE, 'those that were pushed out, too')
})
