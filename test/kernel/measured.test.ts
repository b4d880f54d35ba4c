/** Which flows have an RTT in a window: those that took a sample in it. */

import t from 'tap'
import type { KernelOptions } from '../../probe/signals/signal.ts'
import { FLOW_MEASURED, FLOW_SAMPLED } from '../../wire/records.ts'
import { connect, stage } from '../harness/owners.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, SERVER, Watch } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc') }

const WAYS: readonly Partial<KernelOptions>[] = [
  { rtt: 'calls' },
  { rtt: 'calls', without: ['rtt_looks'] }, // as before Linux 6.3
  { rtt: 'samples' },
  { rtt: 'smoothed' },
]
for (const options of WAYS)
  t.test(
    `a flow that only receives: no RTT after its handshake, ${JSON.stringify(options)}`,
    real,
    async t => {
      const { netns, server, client, listener } = await stage(t)
      const seen = await Watch.start(options)
      t.teardown(() => seen.close())
      const { fd } = await connect(client)
      const accepted = await server.actor.socket(`accept ${listener.fd}`)
      const first = await seen.windowEnd()
      const move = async () => {
        for (let turn = 0; turn < 5; turn++) {
          await client.actor.do(`send ${fd} 1000`)
          await server.actor.do(`receive ${accepted.fd} 1000`)
        }
        return seen.windowEnd()
      }
      let last = first
      for (let window = 0; window < 3; window++) last = await move()
      const own = (role: number) =>
        seen.in(netns).filter(row => row.role === role && row.window <= last.index)
      for (const role of [CLIENT, SERVER]) {
        const handshake = own(role).filter(row => row.window <= first.index)
        t.ok(
          handshake.some(row => row.flags & FLOW_MEASURED && row.rtt_us > 0),
          'the handshake is a sample',
        )
        t.equal(!!(handshake[0]!.flags & FLOW_SAMPLED), options.rtt !== 'smoothed')
      }
      const later = (role: number) => own(role).filter(row => row.window > first.index)
      t.ok(later(SERVER).length >= 3 && later(CLIENT).length >= 3)
      t.ok(
        later(SERVER).every(row => row.rtt_us > 0),
        'the kernel still has the smoothed one',
      )
      t.equal(later(SERVER).filter(row => row.flags & FLOW_MEASURED).length, 0, 'the receiver')
      t.ok(later(SERVER).some(row => row.bytes_rcvd > 0))
      const carried = later(CLIENT).filter(row => row.bytes_sent > 0)
      t.ok(carried.length >= 3 && carried.every(row => row.flags & FLOW_MEASURED), 'the sender')
      t.notOk(
        later(CLIENT).some(row => row.segs_sent === 0 && row.flags & FLOW_MEASURED),
        'nor one that is idle',
      )
    },
  )
