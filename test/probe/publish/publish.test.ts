import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { Router } from 'zeromq'
import { Connection, type Feed } from '../../../probe/publish/link/connection.ts'
import { Trust } from '../../../probe/publish/link/trust.ts'
import { Publisher } from '../../../probe/publish/publish.ts'
import { SendOffset } from '../../../probe/publish/send_offset.ts'
import type { WaitingOptions } from '../../../probe/publish/spool/waiting.ts'
import { encodeAck } from '../../../wire/ack.ts'
import type { Names, WindowNames } from '../../../wire/message.ts'
import { ranked } from '../../../wire/rendezvous.ts'
import { temporary } from '../../harness/embedded.ts'
import { startRecorder } from '../../harness/recorder.ts'
import { encodeRows, tcpFlowLayout } from '../../harness/rows.ts'
import { until } from '../../harness/until.ts'

const sendOffset = new SendOffset('h', 0, 1)
const identity = { host: 'h', boot: 'b', probe: 'p' }
const nobody: Names = { cgroups: {}, containers: {}, pods: {} }
const everybody: WindowNames = { ...nobody, running: [] }

/** Publishes windows to two collectors, until all of them are acknowledged. */
async function publish(windows: number, sendTo: WaitingOptions['sendTo']) {
  const recorders = [await startRecorder(), await startRecorder()]
  const collectors = recorders.map(({ endpoint }) => endpoint)
  const said: string[] = []
  const log = pino({}, { write: line => said.push(line) })
  const publisher = new Publisher({ collectors, sendTo, queueBytes: 2 ** 20, sendOffset }, identity, log)
  await until('both connections', () => said.filter(line => line.includes('"connected"')).length === 2)
  for (let window = 0; window < windows; window++) {
    const head = { ...identity, window, sequence: window, start_ns: '1', lost: {} }
    const end = { end_ns: '2', time: 1000 + window, interval: 1, clock_offset_ns: '0', partial: false }
    publisher.end({ ...head, ...end }, everybody)
  }
  await until('all acknowledgements', () => publisher.stats().waiting === 0)
  const { messages, bytes, accounts } = publisher.stats()
  await publisher.close(0)
  await Promise.all(recorders.map(recorder => recorder.close()))
  const own = collectors.indexOf(ranked(identity.host, collectors)[0]!)
  const taken = recorders.map(recorder => recorder.windows.length)
  return { own: taken[own], other: taken[1 - own], messages, bytes, stored: accounts.stored.windows }
}

t.test('every collector gets every record', async t => {
  t.same(await publish(3, 'all'), { own: 3, other: 3, messages: 3, bytes: 0, stored: 6 })
})

t.test('or only the one that is the first in rank for this host', async t => {
  t.same(await publish(3, 'one'), { own: 3, other: 0, messages: 3, bytes: 0, stored: 3 })
})

t.test('a host sends when its sendOffset has come; one that stops, at once', async t => {
  const recorder = await startRecorder()
  t.teardown(() => recorder.close())
  let now = 0
  const publisher = new Publisher(
    {
      collectors: [recorder.endpoint],
      sendTo: 'all',
      queueBytes: 2 ** 20,
      sendOffset: new SendOffset('h', 1, 2, () => now),
    },
    identity,
    pino({ level: 'silent' }),
  )
  const end = (window: number) => {
    const head = { ...identity, window, sequence: window, start_ns: '1', lost: {} }
    const more = { end_ns: '2', time: 1000 + window, interval: 1, clock_offset_ns: '0', partial: false }
    publisher.end({ ...head, ...more }, everybody)
  }
  end(0)
  await new Promise(resolve => setTimeout(resolve, 1500)) // longer than any host has to wait, but the clock stands still
  t.equal(recorder.windows.length, 0)
  now = 1999
  end(1)
  await until('both windows', () => recorder.windows.length === 2)
  now = 2000
  end(2)
  await publisher.close(5000)
  t.equal(recorder.windows.length, 3)
})

t.test('a collector that does not answer is said, once', async t => {
  const said: { msg: string; collector: string }[] = []
  const log = pino({}, { write: line => said.push(JSON.parse(line)) })
  const collectors = ['ipc:///nowhere/collector']
  const publisher = new Publisher(
    { collectors, sendTo: 'all', queueBytes: 2 ** 20, sendOffset },
    identity,
    log,
  )
  t.teardown(() => publisher.close(0))
  await until('a line in the log', () => said.length > 0)
  t.match(said, [
    { collector: collectors[0], msg: /^no collector answers: start it, or correct --collector/ },
  ])
})

t.test('acknowledgements of every run of this host reach the feed; those of other hosts do not', async t => {
  const router = new Router({ linger: 0 })
  const endpoint = `ipc://${join(await temporary(t), 'collector')}`
  await router.bind(endpoint)
  t.teardown(() => router.close())
  const heard: string[] = []
  const waiting = [[Buffer.from('hello')]]
  const feed: Feed = {
    begin: () => {},
    reached: () => {},
    next: () => waiting.pop(),
    acknowledged: ({ boot, probe, window }) => heard.push(`${boot} ${probe} ${window}`),
  }
  const said: string[] = []
  const log = pino({}, { write: line => said.push(JSON.parse(line).msg) })
  const connection = new Connection(endpoint, feed, identity, new Trust(), log)
  t.teardown(() => connection.close())
  const [route] = await router.receive()
  const answer = (frames: Buffer[]) => router.send([route!, ...frames])
  for (const key of [
    { ...identity, window: 1 },
    { ...identity, probe: 'former', window: 2 },
    { ...identity, host: 'other', window: 3 },
    { ...identity, boot: 'before', window: 4 },
  ])
    await answer(encodeAck(key))
  await until('the acknowledgements', () => heard.length === 3)
  t.same(heard, ['b p 1', 'b former 2', 'before p 4'])
  await answer([Buffer.from('refused/3')])
  await until('a line in the log', () => said.some(line => line.includes('version')))
  t.match(
    said.at(-1),
    /^the collector speaks version 3 of the wire, this probe version 2: update the probe; what it should have waits/,
  )
})

t.test(
  'a full queue is said once, counted in rows and windows; what waits at the end is counted, too',
  async t => {
    const lines: { msg: string; collector?: string; reason?: string }[] = []
    const log = pino({}, { write: line => lines.push(JSON.parse(line)) })
    const collectors = ['ipc:///nowhere/collector']
    const publisher = new Publisher(
      { collectors, sendTo: 'all', queueBytes: 10_000, sendOffset },
      identity,
      log,
    )
    const layout = tcpFlowLayout()
    const [windows, rows] = [20, 7]
    for (let window = 0; window < windows; window++) {
      const head = { ...identity, window, sequence: window, start_ns: '1', lost: {} }
      const end = { end_ns: '2', time: 1000 + window, interval: 1, clock_offset_ns: '0', partial: false }
      const bytes = encodeRows(
        layout,
        Array.from({ length: rows }, () => ({})),
      )
      publisher.add({ layout, bytes }, nobody, () => head)
      publisher.end({ ...head, ...end }, everybody)
    }
    const { accounts, waiting, rows: sent } = publisher.stats()
    t.ok(waiting > 0 && accounts.lost.full.windows > 0)
    t.equal(accounts.lost.full.windows + accounts.waiting.windows, windows)
    t.equal(sent, windows * rows)
    const full = accounts.lost.full.windows
    const counted = Object.entries(publisher.losses()).filter(([, count]) => count > 0)
    t.same(Object.fromEntries(counted), { 'queue/full': full * rows, 'queue/full_windows': full })
    t.match(publisher.figures(), {
      queue_windows: windows - full,
      queue_rows: (windows - full) * rows,
      stored_rows: 0,
    })
    const said = lines.filter(({ reason }) => reason === 'queue_full')
    t.match(said, [
      {
        collector: collectors[0],
        msg: /^the queue is full \(0 MiB, no acknowledgement from the collector\); the oldest windows are dropped: 1 window with 7 rows so far; start the collector, or raise --queue-size$/,
      },
    ])
    t.equal(said.length, 1, 'once a minute')
    const left = windows - full
    const amount = `${left} ${left === 1 ? 'window' : 'windows'} with ${left * rows} rows`
    t.equal(await publisher.close(0), `${amount} were not acknowledged in time and are lost`)
    t.match(publisher.losses(), {
      'queue/full_windows': full,
      'queue/stopped': left * rows,
      'queue/stopped_windows': left,
    })
    t.match(publisher.figures(), { queue_windows: 0, queue_rows: 0 })
  },
)

t.test('with every window acknowledged nothing is left to say at the end', async t => {
  const recorder = await startRecorder()
  t.teardown(() => recorder.close())
  const publisher = new Publisher(
    { collectors: [recorder.endpoint], sendTo: 'all', queueBytes: 2 ** 20, sendOffset },
    identity,
    pino({ level: 'silent' }),
  )
  const head = { ...identity, window: 0, sequence: 0, start_ns: '1', lost: {} }
  const end = { end_ns: '2', time: 1000, interval: 1, clock_offset_ns: '0', partial: false }
  publisher.end({ ...head, ...end }, everybody)
  t.equal(await publisher.close(5000), undefined)
  t.match(publisher.stats().accounts, { stored: { windows: 1 }, waiting: { windows: 0 } })
})
