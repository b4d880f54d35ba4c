import t from 'tap'
import { Acknowledger } from '../../../collector/ingest/acknowledge.ts'
import type { Route } from '../../../collector/ingest/link/transport.ts'

/** What was sent: the connection, the topic, the run and the window. */
function start() {
  const sent: string[] = []
  const acknowledger = new Acknowledger({
    async send(to: Route, [topic, key]) {
      const { probe, window, lost } = key ? JSON.parse(String(key)) : { probe: '', window: '' }
      sent.push([to, topic, probe, window, lost ? 'lost' : ''].join(' ').trim())
    },
  })
  return { acknowledger, sent }
}
const key = (probe: string, window: number) => ({ host: 'h', boot: 'b', probe, window })
const [a, b] = ['a', 'b'].map(name => Buffer.from(name)) as [Buffer, Buffer]

t.test('a window is acknowledged on the connection that its run was last heard on', async t => {
  const { acknowledger, sent } = start()
  acknowledger.seen(key('p', 1), a, 2)
  const settled = acknowledger.expect(key('p', 1))
  acknowledger.seen(key('p', 2), b, 2)
  settled()
  await acknowledger.flush()
  t.same(sent, ['b ack/2 p 1'])
})

t.test('windows of an earlier run are acknowledged on the connection that brings them', async t => {
  const { acknowledger, sent } = start()
  acknowledger.seen(key('former', 7), a, 2)
  const former = acknowledger.expect(key('former', 7))
  // the probe was started again, and sends what the run before has left
  acknowledger.seen(key('now', 0), b, 2)
  acknowledger.seen(key('former', 7), b, 2)
  former()
  acknowledger.expect(key('now', 0))()
  await acknowledger.flush()
  t.same(sent, ['b ack/2 former 7', 'b ack/2 now 0'])
})

t.test('a window whose end comes again is acknowledged when it is settled, not before', async t => {
  const { acknowledger, sent } = start()
  acknowledger.seen(key('p', 1), a, 2)
  const settled = acknowledger.expect(key('p', 1))
  acknowledger.repeat(key('p', 1))
  await acknowledger.flush()
  t.same(sent, [])
  settled()
  acknowledger.repeat(key('p', 1))
  await acknowledger.flush()
  t.same(sent, ['a ack/2 p 1', 'a ack/2 p 1'])
})

t.test('a window that was dropped is never called stored, also when its end comes again', async t => {
  const { acknowledger, sent } = start()
  acknowledger.seen(key('p', 1), a, 2)
  acknowledger.expect(key('p', 1))(false)
  acknowledger.expect(key('p', 2))(true)
  acknowledger.repeat(key('p', 1))
  acknowledger.repeat(key('p', 2))
  await acknowledger.flush()
  t.same(sent, ['a ack/2 p 1 lost', 'a ack/2 p 2', 'a ack/2 p 1 lost', 'a ack/2 p 2'])
})

t.test('a probe is answered in the version that it speaks', async t => {
  const { acknowledger, sent } = start()
  acknowledger.seen(key('old', 1), a, 1)
  acknowledger.expect(key('old', 1))()
  await acknowledger.flush()
  t.same(sent, ['a ack old 1'])
})

t.test('a connection whose version is refused is answered once', async t => {
  const { acknowledger, sent } = start()
  for (const route of [a, a, b, a]) acknowledger.refuse(route)
  await acknowledger.flush()
  t.same(sent, ['a refused/2', 'b refused/2'])
})
