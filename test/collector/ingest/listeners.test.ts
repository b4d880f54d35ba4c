import { join } from 'node:path'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { Dealer } from 'zeromq'
import { Ingest } from '../../../collector/ingest/ingest.ts'
import { Access } from '../../../collector/ingest/link/access.ts'
import { Gate } from '../../../collector/ingest/link/gate.ts'
import { Listeners } from '../../../collector/ingest/listeners.ts'
import { decodeAck } from '../../../wire/ack.ts'
import { encodeWindow, type WindowHead } from '../../../wire/message.ts'
import { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { bundleOf } from '../../harness/bundle.ts'
import { temporary } from '../../harness/embedded.ts'

const end = (probe: string, window: number): Buffer[] => {
  const head: WindowHead = {
    ...{ host: 'h', boot: 'b', probe, window, sequence: window, lost: {}, start_ns: '1', end_ns: '2' },
    ...{ clock_offset_ns: '0', time: 1_767_000_000 + window, interval: 1, partial: false },
  }
  return encodeWindow(head, bundleOf(), { cgroups: {}, containers: {}, pods: {}, running: [] })
}

const nothing = { save: () => undefined, load() {}, forget() {} }
const nobody = { probes: nothing, series: nothing }

/** Two endpoints, and what came by them: `ifid probe window`. */
async function start(t: Test) {
  const directory = await temporary(t)
  const endpoints = ['a', 'b'].map(name => `ipc://${join(directory, name)}`)
  const [came, said]: [string[], string[]] = [[], []]
  const ingest = new Ingest()
  const log = new ThrottledLog(pino({}, { write: line => said.push(JSON.parse(line).msg) }))
  const gate = new Gate(1024, log)
  const access = await Access.open({ keys: directory, linkUsers: [] }, () => gate.isFull, log)
  const listeners = new Listeners(
    ingest,
    {
      write({ key }, ifid, settled) {
        came.push(`${ifid} ${key.probe} ${key.window}`)
        settled()
      },
      settled: () => {},
    },
    gate,
    access,
    { access: { credentials: undefined, ca: undefined }, memories: nobody, isFull: () => false },
    log,
  )
  await listeners.open([`${endpoints[0]},ifid=6`, endpoints[1]!])
  t.teardown(() => listeners.close())
  const connect = (at: number): Dealer => {
    const dealer = new Dealer({ linger: 0 })
    t.teardown(() => dealer.close())
    dealer.connect(endpoints[at]!)
    return dealer
  }
  return { listeners, ingest, came, said, connect }
}

t.test('windows have the ifid of their endpoint, and are acknowledged there', async t => {
  const { came, connect } = await start(t)
  for (const [at, ifid] of ['6', '1'].entries()) {
    const dealer = connect(at)
    await dealer.send(end(`p${at}`, 3))
    t.match(decodeAck(await dealer.receive()), { probe: `p${at}`, window: 3 })
    t.equal(came.at(-1), `${ifid} p${at} 3`)
  }
})

t.test('windows of an earlier run are acknowledged to the run that sends them', async t => {
  const { connect } = await start(t)
  const dealer = connect(0)
  for (const probe of ['now', 'former']) {
    await dealer.send(end(probe, 3))
    t.match(decodeAck(await dealer.receive()), { probe, window: 3 })
  }
})

t.test('a probe of another version is refused, counted, answered, and logged once', async t => {
  const { ingest, said, came, connect } = await start(t)
  const dealer = connect(0)
  for (let window = 0; window < 3; window++)
    await dealer.send(end('p', window).with(0, Buffer.from('window/3')))
  t.same((await dealer.receive()).map(String), ['refused/2'])
  await dealer.send(end('p', 3))
  t.match(decodeAck(await dealer.receive()), { window: 3 }, 'and no second time')
  t.same(ingest.lost, { malformed_version: 3 })
  t.same(said, [
    'a message was refused: the probe speaks version 3 of the wire, this collector version 2: update the collector',
  ])
  t.same(came, ['6 p 3'])
})

t.test('an endpoint that is taken is named', async t => {
  const { listeners, connect } = await start(t)
  connect(0)
  const endpoint = 'ipc:///proc/nowhere/there'
  await t.rejects(listeners.open([endpoint]), new RegExp(`^cannot listen on ${endpoint}: `))
})
