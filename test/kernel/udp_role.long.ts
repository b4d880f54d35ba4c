/** A conversation that is silent for more than a minute; long because the kernel side's minute is real. */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { LOOPBACK, owned, settle, stage, watch } from '../harness/datagrams.ts'
import { needs } from '../harness/skip.ts'
import { CLIENT, SERVER } from '../harness/watch.ts'

t.test(
  'it keeps its role, whoever sends first afterwards',
  {
    skip: needs('root', 'bpf', 'netns', 'gcc'),
    timeout: 120_000,
  },
  async t => {
    const { near, server, client } = await stage(t)
    const seen = await watch(t)
    const listening = await server.socket('bind 127.0.0.1 5300')
    const asking = await client.socket(`connect ${LOOPBACK} 5300 udp`)
    await client.traffic(`datagrams ${asking.fd} 1 10 0`)
    await server.traffic(`collect ${listening.fd} 1`)
    await sleep(65_000)
    await server.traffic(`spray ${listening.fd} 10 ${LOOPBACK} ${asking.port} 1`)
    await client.traffic(`collect ${asking.fd} 1`)
    await settle(seen)
    const rows = seen.udpIn(near)
    const packets = (role: number, of: typeof client) =>
      owned(t, rows, of, role).map(({ packets_sent, packets_rcvd }) => [packets_sent, packets_rcvd])
    t.same(packets(CLIENT, client), [
      [1, 0],
      [0, 1],
    ])
    t.same(packets(SERVER, server), [
      [0, 1],
      [1, 0],
    ])
    t.equal(new Set(rows.map(row => row.opened_ns)).size, 2, 'one conversation at each end')
  },
)
