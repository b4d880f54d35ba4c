import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import { addRows, layoutOfRecord } from '../../collector/given.ts'

const CLIENT = 1
const SERVER = 2
const names = {
  cgroups: { '1:10': 'a' },
  containers: { a: { runtime: 'docker' } },
  pods: {},
}

t.test('UDP counts as flows by role and in the traffic, and leaves the RTT of TCP as it is', async t => {
  const fold = new Fold(true)
  const owner = { hierarchy: 1, cgroup: 10, pid: 7, comm: 'named' }
  const tcp = { ...owner, role: CLIENT, segs_sent: 1, rtt_us: 1000, flags: 32 }
  addRows(fold, layoutOfRecord('tcp_flow'), [tcp], names)
  const carried = { bytes_sent: 2 ** 33, bytes_rcvd: 100, packets_sent: 3, packets_rcvd: 1 }
  addRows(
    fold,
    layoutOfRecord('udp_flow'),
    [
      { ...owner, ...carried, role: CLIENT },
      { ...owner, ...carried, role: SERVER },
      { ...carried, role: SERVER },
    ],
    names,
  )
  const { client, server } = fold.containers.get('a')!
  t.match(client, { flows: 2, measured: 1, meanRttUs: 1000, bytesSent: 2 ** 33, packetsSent: 4, opened: 1 })
  t.match(server, { flows: 1, measured: 0, bytesRcvd: 100, packetsRcvd: 1, opened: 0 })
  t.match(fold.host.server, { flows: 1 })
  t.match(fold.processes!.byPid.get(7), { comm: 'named', client: { flows: 2 }, server: { flows: 1 } })
  t.equal(fold.rows, 4)
})
