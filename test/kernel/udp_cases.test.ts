/** Every way to send and to receive datagrams, counted at the calls and in packets, against what the program says. */

import { join } from 'node:path'
import t from 'tap'
import { settle, watch } from '../harness/datagrams.ts'
import { createNetns, inNetns } from '../harness/netns.ts'
import { run } from '../harness/process.ts'
import { needs } from '../harness/skip.ts'
import type { UdpRow } from '../harness/watch.ts'

const real = { skip: needs('root', 'bpf', 'netns') }

interface Told {
  readonly case: string
  readonly cookie: bigint
  readonly peer: string
  readonly port: number
  readonly sent: number
  readonly bytes_sent: number
  readonly received: number
  readonly bytes_received: number
}

/** What differs from what the program says, by case. Each is in docs/reading_the_numbers.md. */
const DIFFERS: Readonly<Record<'calls' | 'packets', Readonly<Record<string, string>>>> = {
  calls: {
    unnamed: 'the peer is unknown',
    cork_by_option: 'its datagrams are not counted',
    segments_by_message: 'datagrams are calls',
    gro: 'datagrams are calls',
  },
  packets: {
    truncated: 'bytes that arrived',
    overflow: 'what arrived',
    unread: 'what arrived',
  },
}

const counts = ({ sent, bytes_sent, received, bytes_received }: Omit<Told, 'case' | 'cookie'>) => ({
  sent,
  bytes_sent,
  received,
  bytes_received,
})
type Counts = ReturnType<typeof counts>

const added = (all: readonly Counts[]): Counts =>
  all.reduce(
    (sum, each) => ({
      sent: sum.sent + each.sent,
      bytes_sent: sum.bytes_sent + each.bytes_sent,
      received: sum.received + each.received,
      bytes_received: sum.bytes_received + each.bytes_received,
    }),
    { sent: 0, bytes_sent: 0, received: 0, bytes_received: 0 },
  )

const ofRow = (row: UdpRow): Counts => ({
  sent: row.packets_sent,
  bytes_sent: row.bytes_sent,
  received: row.packets_rcvd,
  bytes_received: row.bytes_rcvd,
})

/** By socket and port of the peer: the addresses of a case are all the loopback's, or its group's. */
const keyOf = (cookie: string, port: number) => `${cookie} ${port}`

async function tellAll(netns: string): Promise<Told[]> {
  const script = join(import.meta.dirname, '../harness/udp/cases.py')
  const lines = (await run(inNetns(netns, ['python3', script]), 60_000)).trim().split('\n')
  // a cookie may be more than a number holds exactly
  return lines.map(line => JSON.parse(line.replace(/("cookie": )(\d+)/, '$1"$2"')) as Told)
}

for (const udp of ['calls', 'packets'] as const)
  t.test(`counted ${udp === 'calls' ? 'at the calls' : 'in packets'}`, real, async t => {
    const netns = await createNetns()
    t.teardown(() => netns.close())
    await run(inNetns(netns.path, ['ip', 'route', 'add', '239.0.0.0/8', 'dev', 'lo']))
    const seen = await watch(t, { udp })
    const told = await tellAll(netns.path)
    await settle(seen)
    const rows = Map.groupBy(seen.udpIn(netns.path), row => keyOf(row.cookie, row.remote_port))
    const found = (cookie: string, port: number) => added((rows.get(keyOf(cookie, port)) ?? []).map(ofRow))
    const cases = Map.groupBy(told, ({ case: name }) => name)
    t.ok(cases.size > 50, `${cases.size} cases`)
    for (const [name, own] of cases) {
      const hex = (cookie: bigint) => BigInt(cookie).toString(16)
      const saw = own.map(({ cookie, port }) => found(hex(cookie), port))
      const expected = own.map(counts)
      const cookies = new Set(own.map(({ cookie }) => hex(cookie)))
      const ofSockets = seen.udpIn(netns.path).filter(({ cookie }) => cookies.has(cookie))
      const [all, should] = [added(ofSockets.map(ofRow)), added(expected)]
      const differs = DIFFERS[udp][name.split(' ')[0]!]
      if (differs === undefined) {
        t.same(saw, expected, `${name}: each conversation`)
        t.same(all, should, `${name}: and nothing else`)
        continue
      }
      t.notSame(saw, expected, `${name}: ${differs}`)
      if (differs === 'the peer is unknown') t.same(all, should, `${name}: all of it is counted`)
      else if (udp === 'calls')
        t.match(
          all,
          { bytes_sent: should.bytes_sent, bytes_received: should.bytes_received },
          `${name}: bytes`,
        )
      else t.match(all, { sent: should.sent, bytes_sent: should.bytes_sent }, `${name}: what was sent`)
    }
    t.same(seen.kernel.lost(), {})
  })
