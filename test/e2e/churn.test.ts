import t, { type Test } from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { startInflux } from '../harness/influx.ts'
import { startNode } from '../harness/node.ts'
import { IDLE } from '../harness/pod.ts'
import { type RecordedRow, type Recorder, startRecorder } from '../harness/recorder.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { byFlow, CLIENT, SERVER } from '../harness/watch.ts'
import { lateInWindow, windowNow } from '../harness/windows.ts'
import { client, serve } from './pair.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc', 'containerd', 'influxd')
const BURSTS = 5
const BURST = 2000
const CONNECTIONS = BURSTS * BURST

/** In exactly the windows that it lived in, by the kernel's own times. */
function isWhereItLived(row: RecordedRow, { windows }: Recorder): boolean {
  const { start_ns, end_ns } = windows[row.window]!
  const [start, end] = [Number(start_ns), Number(end_ns)]
  const closedBefore = row.closed_ns > 0 && row.closed_ns < start
  const closedAfter = row.closed_ns >= end
  return row.opened_ns < end && !closedBefore && !closedAfter
}

/** @returns the rows of flows that were carried over from the window before */
function checkRows(t: Test, rows: readonly RecordedRow[], recorder: Recorder): number {
  const flows = [...byFlow(rows).values()]
  t.equal(flows.length, CONNECTIONS)
  t.equal(rows.filter(row => row.reported_ns === 0).length, CONNECTIONS, 'each was opened once')
  t.equal(rows.filter(row => row.closed_ns > 0).length, CONNECTIONS, 'each was closed once')
  const misplaced = rows.filter(row => !isWhereItLived(row, recorder))
  t.same(misplaced, [], 'each is in windows that it lived in')
  const broken = flows.filter(own => {
    const windows = own.map(({ window }) => window).sort((a, b) => a - b)
    return windows.some((window, index) => window !== windows[0]! + index)
  })
  t.same(broken, [], 'in all of them, once')
  return rows.length - CONNECTIONS
}

t.test('10,000 connections inside a container, as fast as the machine can', { skip }, async t => {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const node = await startNode()
  t.teardown(() => node.close())
  const pod = await node.runPod({
    name: 'churn-0',
    namespace: 'trade',
    containers: [{ name: 'main', command: IDLE }],
  })
  const { main } = pod.containers
  const site = await openSite()
  t.teardown(() => site.close())
  const recorder = await startRecorder()
  t.teardown(() => recorder.close())
  await site.collector(['--influx-url', influx.url])
  const collectors = [site.endpoint, recorder.endpoint]
  await site.probe(['--containerd-state', node.containerd.stateDir], collectors)
  const first = windowNow() + 1
  await serve(node, main, '127.0.0.1', '8000', '--ports', '4', '--forks', '2')
  const load = client(node, main)
  await recorder.ended(first)
  for (let burst = 0; burst < BURSTS; burst++) {
    await lateInWindow()
    t.same(await load.ask(`churn ${BURST} 127.0.0.1 8000 4`), { churned: BURST })
  }
  const last = windowNow() + 1
  await recorder.ended(last)
  const rows = recorder.of(main.id)
  const clients = rows.filter(row => row.role === CLIENT)
  const servers = rows.filter(row => row.role === SERVER)
  t.equal(clients.length + servers.length, rows.length, 'every row has a role')
  const carried = {
    as_client: checkRows(t, clients, recorder),
    as_server: checkRows(t, servers, recorder),
  }
  const busy = new Set(rows.map(({ window }) => window)).size
  t.ok(busy > BURSTS, `over the ends of ${BURSTS} windows: in ${busy} windows`)

  for (const [measurement, tag, value] of [
    ['container:num_flows', 'container', shortId(main.id)],
    ['pod:num_flows', 'pod', pod.name],
  ] as const) {
    const q = `select * from "${measurement}" where "${tag}" = '${value}' and time <= ${last}s`
    const samples = await until(`window ${last} in InfluxDB`, async () => {
      const found = await influx.query(q, 'sockflux')
      return found.at(-1)?.['time'] === last && found
    })
    for (const field of ['as_client', 'as_server'] as const) {
      const sum = samples.reduce((total, sample) => total + (sample[field] as number), 0)
      t.equal(sum - carried[field], CONNECTIONS, `${measurement}.${field}: none lost, none twice`)
    }
  }
  t.comment(`carried over a window's end: ${JSON.stringify(carried)}`)
  t.same(await site.losses(), {}, 'nothing was lost')
})
