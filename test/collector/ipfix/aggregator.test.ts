import t from 'tap'
import { only } from '../../harness/only.ts'
import { CLIENT, carrying, NAMES, SERVER, Told, update } from './given.ts'

const [A, B] = ['node-a', 'node-b']
/** Without a Service: the address of the pod itself. */
const ASKED = { ...CLIENT, remote: '10.10.1.7', remote_port: 8080 }
/** The pod on node-b has another conversation: its address is known to be on a watched node. */
const OTHER = { ...SERVER, socket: 77, remote: '192.0.2.9', isn_local: 5, isn_remote: 6 }

t.test('one probe silenced: records go out without it after three periods, and are counted', async t => {
  const told = new Told()
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.rows(A, 0, 'tcp_flow', { ...ASKED, ...carrying(10, 1) })
  told.end(0, A, B)
  const ofIt = () =>
    told.aggregated.filter(({ source }) => source.port === 44752 && source.ip === '10.10.0.5')
  for (let window = 1; window < 18; window++) {
    told.rows(A, window, 'tcp_update', update(ASKED, carrying(10, 1)))
    told.end(window, A)
  }
  t.same(ofIt(), [], 'it is waited for')
  told.rows(A, 18, 'tcp_update', update(ASKED, carrying(10, 1)))
  told.end(18, A)
  only(t, ofIt(), [
    {
      ...{ type: 2, isIncomplete: true, destination: { ip: '10.10.1.7', port: 8080 } },
      ...{ client: { pod: 'client-0', node: A }, server: { pod: '', node: '' } },
      ...{ total: { bytes: 190 }, fromDestination: undefined },
    },
  ])
  t.equal(told.aggregator.incomplete, 1)
  for (let window = 19; window <= 24; window++) {
    told.rows(A, window, 'tcp_update', update(ASKED, carrying(10, 1)))
    told.end(window, A)
  }
  t.equal(ofIt().length, 2, 'then each period')
  t.match(ofIt()[1], { isIncomplete: true, since: { bytes: 60 } })
})

t.test('a probe that falls silent later is waited for as long', async t => {
  const told = new Told()
  told.rows(A, 0, 'tcp_flow', { ...ASKED, ...carrying(10, 1) })
  told.rows(B, 0, 'tcp_flow', { ...SERVER, ...carrying(1, 1, 10, 1) })
  told.end(0, A, B)
  for (let window = 1; window <= 18; window++) {
    told.rows(A, window, 'tcp_update', update(ASKED, carrying(10, 1)))
    told.end(window, A)
  }
  only(t, told.aggregated, [
    {
      ...{ isIncomplete: true, server: { pod: 'web-0', node: B } },
      ...{ total: { bytes: 190, revBytes: 1 }, fromDestination: { total: { bytes: 10 } } },
    },
  ])
  t.equal(told.aggregator.incomplete, 1)
})

t.test('an end that comes late is joined to the one that has ended', async t => {
  const told = new Told()
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.end(0, A, B)
  told.rows(A, 1, 'tcp_flow', { ...ASKED, ...carrying(10, 1, 4, 1), state: 7, closed_ns: 8e9 })
  told.silence(1, 6, A)
  t.equal(told.stage.ask('text=10.10.0.5').total, 0, 'the flow stage has let it go')
  const ofIt = () =>
    told.aggregated.filter(({ source }) => source.port === 44752 && source.ip === '10.10.0.5')
  t.same(ofIt(), [])
  t.equal(told.aggregator.held, 1)
  told.rows(B, 1, 'tcp_flow', { ...SERVER, ...carrying(5, 2, 10, 1), state: 7, closed_ns: 9e9 })
  told.silence(1, 8, B)
  only(t, ofIt(), [
    {
      ...{ reason: 3, type: 2, isIncomplete: false, end: 1e9 + 9 },
      ...{ client: { pod: 'client-0', node: A }, server: { pod: 'web-0', node: B } },
      total: { bytes: 10, packets: 1, revBytes: 5, revPackets: 2 },
      fromSource: { total: { revBytes: 4 } },
      fromDestination: { total: { bytes: 10 } },
    },
  ])
  t.same([told.aggregator.held, told.aggregator.incomplete], [0, 0])
})

t.test('an end that never comes is not waited for beyond three periods', async t => {
  const told = new Told()
  told.rows(B, 0, 'tcp_flow', OTHER)
  told.end(0, A, B)
  told.rows(A, 1, 'tcp_flow', { ...ASKED, ...carrying(10, 1), state: 7, closed_ns: 8e9 })
  told.silence(1, 17, A)
  t.equal(told.aggregator.held, 1)
  told.silence(18, 24, A)
  t.same([told.aggregator.held, told.aggregator.incomplete], [0, 1])
  told.aggregator.flush()
  const ended = told.aggregated.filter(({ reason }) => reason === 3)
  only(t, ended, [{ isIncomplete: true, client: { pod: 'client-0' } }])
})

t.test('nothing is waited for that nobody could tell', async t => {
  const told = new Told()
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '192.0.2.9', ...carrying(1, 1), state: 7, closed_ns: 8e9 })
  told.silence(0, 5, A)
  only(t, told.aggregated, [{ type: 3, isIncomplete: false, reason: 3 }])
})

t.test('a probe that is gone ends its conversations as forced', async t => {
  const told = new Told()
  told.rows(A, 0, 'tcp_flow', { ...CLIENT, remote: '192.0.2.9', ...carrying(1, 1) })
  told.stage.end(A, 0, NAMES)
  told.stage.leave(A)
  only(t, told.aggregated, [{ reason: 4, isIncomplete: true }])
})
