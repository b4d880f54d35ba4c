import t from 'tap'
import { Wanted } from '../../../probe/kernel/wanted.ts'
import { accept } from '../../../probe/signals/accept.ts'
import { HEALTH_DEFAULT } from '../../../probe/signals/health_groups.ts'
import { SIGNALS } from '../../../probe/signals/index.ts'
import { olderRtt, rtt, rttLooks, rttProbe } from '../../../probe/signals/rtt.ts'
import type { KernelOptions, Signal } from '../../../probe/signals/signal.ts'
import { tcp } from '../../../probe/signals/tcp.ts'
import { udp, udpCalls, udpDrops, udpPackets } from '../../../probe/signals/udp.ts'
import { use } from '../../../probe/signals/use.ts'

const options: KernelOptions = {
  maxFlows: 1024,
  maxUdpFlows: 1024,
  ringBytes: 65_536,
  udp: 'calls',
  rtt: 'calls',
  health: HEALTH_DEFAULT,
}

/** What runs when nothing is refused; not: what stands in for it, and what an option asks for. */
const DEFAULT = SIGNALS.filter(signal => !signal.insteadOf && !signal.needs?.insteadOf && signal !== rttProbe)
const named = (signals: readonly Signal[]) => signals.map(({ name }) => name)

t.test('all signals are wanted, less those that an option leaves out', async t => {
  t.same(named(new Wanted(options).signals), named(DEFAULT))
  t.ok(new Wanted({ ...options, rtt: 'samples' }).has(rttProbe))
  const less = new Wanted({ ...options, udp: 'off', rtt: 'smoothed' })
  t.same(named(DEFAULT.filter(signal => !less.has(signal))), named([rttLooks, udpCalls, udp, udpDrops]))
  t.equal(less.signals.length, DEFAULT.length - 4, 'and nothing stands in for them')
  t.equal(less.unavailable.size, 0, 'what nobody wants is not unavailable')
})

t.test('a signal that is refused takes along what needs it, and what stands in for these runs', async t => {
  const wanted = new Wanted(options)
  t.ok(wanted.refuse(use, 'no such tracepoint'))
  t.same(named(DEFAULT.filter(signal => !wanted.has(signal))), named([use, rttLooks, udpCalls]))
  t.same(
    named(wanted.signals.filter(signal => !DEFAULT.includes(signal))),
    named([accept, rtt, olderRtt, udpPackets]),
  )
  t.same([...wanted.unavailable], [[use, 'no such tracepoint']])
  t.ok(wanted.refuse(rtt, 'no such helper'))
  t.notOk(wanted.has(olderRtt))
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

t.test('UDP is reported, and so are its drops, only where one of the two ways to count it works', async t => {
  const wanted = new Wanted(options)
  t.ok(wanted.refuse(udpCalls, 'no cgroup2'))
  t.ok([udpPackets, udp, udpDrops].every(signal => wanted.has(signal)))
  t.ok(wanted.refuse(udpPackets, 'no cgroup2'))
  t.notOk([udpCalls, udpPackets, udp, udpDrops].some(signal => wanted.has(signal)))
  t.equal(wanted.unavailable.size, 2, 'for one reason each')
})
