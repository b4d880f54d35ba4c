/** What counters have risen by, where no socket of a test can bring it about: hours, and a handshake whose end was missed. */

import t from 'tap'
import { needs } from '../harness/skip.ts'
import { parts } from './bpf/parts.ts'

const real = { skip: needs('root', 'bpf') }

/** `struct health_counters`: 4 bytes each, `timeouts` and `recoveries` 2. */
const COUNTERS = [
  'busy_ticks',
  'receiver_ticks',
  'sndbuf_ticks',
  'stalled_ms',
  'out_of_order',
  'ecn_marks',
  'spurious',
  'timeouts',
  'recoveries',
  'syn_resent',
] as const
type Counters = Partial<Record<(typeof COUNTERS)[number], number>>
const SHORT = ['timeouts', 'recoveries']
const COUNTERS_BYTES = 36

/** The rest of `struct counters` of parts.bpf.c. */
const RISEN = [
  'busy_us',
  'receiver_us',
  'sndbuf_us',
  'stalled_us',
  'timeouts',
  'recoveries',
  'syn_resent',
  'spurious',
  'out_of_order',
  'ecn_marks',
  'tells',
] as const

function written(counters: Counters): Buffer {
  const bytes = Buffer.alloc(COUNTERS_BYTES)
  let at = 0
  for (const name of COUNTERS) {
    const value = counters[name] ?? 0
    at = SHORT.includes(name) ? bytes.writeUInt16LE(value, at) : bytes.writeUInt32LE(value, at)
  }
  return bytes
}

t.test('between two looks at a socket', real, async t => {
  const object = parts(t, { jiffy_us: 4000 })
  const rise = async (base: Counters, now: Counters) => {
    const context = Buffer.concat([written(now), written(base), Buffer.alloc(4 * RISEN.length)])
    t.equal(await object.run('rise', context), 0)
    const values = RISEN.map((name, index) => [name, context.readUInt32LE(2 * COUNTERS_BYTES + 4 * index)])
    return {
      risen: Object.fromEntries(values.filter(([, value]) => value !== 0)) as Record<string, number>,
      base: context.subarray(0, COUNTERS_BYTES),
    }
  }
  const times = (ticks: number, ms: number): Counters => ({
    busy_ticks: ticks,
    receiver_ticks: ticks,
    sndbuf_ticks: ticks,
    stalled_ms: ms,
  })
  const us = (value: number) => ({
    busy_us: value,
    receiver_us: value,
    sndbuf_us: value,
    stalled_us: value,
    tells: 1,
  })

  t.test('an hour, the longest interval', async t => {
    t.same((await rise({}, times(900_000, 3_600_000))).risen, us(3_600_000_000))
    const later = times(2 ** 32 - 100_000, 2 ** 32 - 400_000)
    t.same((await rise(later, times(800_000, 3_200_000))).risen, us(3_600_000_000), 'over the wrap')
  })

  t.test('more than fits', async t => {
    t.same((await rise({}, times(2_000_000, 8_000_000))).risen, us(2 ** 32 - 1))
  })

  t.test('SYNs and time-outs of a handshake whose end was missed', async t => {
    const handshake = { syn_resent: 3, timeouts: 2, recoveries: 1, stalled_ms: 900 }
    const { risen, base } = await rise(handshake, {})
    t.same(risen, {}, 'what falls has not risen')
    t.same(base, written(handshake), 'and the next one waits for it')
  })

  t.test('each falls, or rises over its wrap', async t => {
    for (const name of ['out_of_order', 'ecn_marks', 'spurious', 'syn_resent'] as const) {
      t.same((await rise({ [name]: 7 }, { [name]: 6 })).risen, {}, name)
      t.same((await rise({ [name]: 2 ** 32 - 2 }, { [name]: 3 })).risen, { [name]: 5, tells: 1 }, name)
    }
    for (const name of ['timeouts', 'recoveries'] as const) {
      t.same((await rise({ [name]: 7 }, { [name]: 6 })).risen, {}, name)
      t.same((await rise({ [name]: 65_535 }, { [name]: 4 })).risen, { [name]: 5, tells: 1 }, name)
    }
  })
})
