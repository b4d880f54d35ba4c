import t from 'tap'
import { Wanted } from '../../../probe/kernel/wanted.ts'
import { accept } from '../../../probe/signals/accept.ts'
import { SIGNALS } from '../../../probe/signals/index.ts'
import { olderRtt, rtt } from '../../../probe/signals/rtt.ts'
import type { KernelOptions } from '../../../probe/signals/signal.ts'
import { tcp } from '../../../probe/signals/tcp.ts'
import { udp, udpCalls, udpDrops, udpPackets } from '../../../probe/signals/udp.ts'
import { use } from '../../../probe/signals/use.ts'

const options: KernelOptions = {
  maxFlows: 1024,
  maxUdpFlows: 1024,
  ringBytes: 65_536,
  udp: 'calls',
  rttSamples: true,
}

t.test('all signals are wanted, less those that an option leaves out', async t => {
  const substitutes = SIGNALS.filter(({ insteadOf }) => insteadOf)
  t.same(
    new Wanted(options).signals,
    SIGNALS.filter(signal => !substitutes.includes(signal)),
  )
  const less = new Wanted({ ...options, udp: 'off', rttSamples: false })
  t.same(
    SIGNALS.filter(signal => !less.has(signal) && !substitutes.includes(signal)),
    [rtt, olderRtt, udpCalls, udp, udpDrops],
  )
  t.equal(less.unavailable.size, 0, 'what nobody wants is not unavailable')
})

t.test('a signal that is refused takes along what needs it, and nothing else', async t => {
  const wanted = new Wanted(options)
  t.ok(wanted.refuse(rtt, 'no such helper'))
  t.same(
    SIGNALS.filter(signal => !wanted.has(signal)),
    [accept, rtt, olderRtt, udpPackets],
  )
  t.same([...wanted.unavailable], [[rtt, 'no such helper']])
})

t.test('a substitute runs only where what it stands in for does not', async t => {
  const wanted = new Wanted(options)
  t.notOk(wanted.has(accept))
  wanted.refuse(use, 'no tracepoint')
  t.ok(wanted.has(accept))
  t.notOk(wanted.has(use))
  const without = new Wanted({ ...options, without: ['use'] })
  t.ok(without.has(accept))
  t.equal(without.unavailable.size, 0)
})

t.test('what has no fallback, or was refused before, is not refused', async t => {
  const wanted = new Wanted(options)
  t.notOk(wanted.refuse(tcp, 'no BTF'))
  t.ok(wanted.refuse(use, 'no tracepoint'))
  t.notOk(wanted.refuse(use, 'again'))
  t.ok(wanted.has(tcp))
})
