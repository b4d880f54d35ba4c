import t from 'tap'
import { SendOffset } from '../../../probe/publish/send_offset.ts'

const HOSTS = Array.from({ length: 1000 }, (_, index) => `node-${index}`)
const START_MS = 1_767_323_040_000

t.test('each host waits for its own moment after the end of a window, the same each time', async t => {
  let now = START_MS
  const offsets = HOSTS.map(host => new SendOffset(host, 2, 10, () => now))
  const waits = offsets.map(sendOffset => sendOffset.waitMs())
  t.ok(waits.every(ms => ms >= 0 && ms < 2000))
  for (let quarter = 0; quarter < 4; quarter++) {
    const own = waits.filter(ms => Math.floor(ms / 500) === quarter)
    t.ok(own.length > 200 && own.length < 300, `${own.length} of 1,000 hosts in quarter ${quarter}`)
  }
  now += 10_000
  t.same(
    offsets.map(sendOffset => sendOffset.waitMs()),
    waits,
  )
})

t.test('then it may send until the window ends', async t => {
  let now = START_MS
  const sendOffset = new SendOffset('node-1', 2, 10, () => now)
  const first = sendOffset.waitMs()
  now += first - 1
  t.ok(sendOffset.waitMs() > 0)
  for (const later of [1, 100, 9999 - first]) {
    now = START_MS + first + later
    t.equal(sendOffset.waitMs(), 0)
  }
  t.equal(new SendOffset('node-1', 0, 10, () => START_MS).waitMs(), 0, 'or at once')
  const late = HOSTS.map(host => new SendOffset(host, 60, 10, () => START_MS).waitMs())
  t.ok(
    late.every(ms => ms < 5000),
    'half of the window is left to everybody',
  )
})

t.test('over another spread the hosts keep their order', async t => {
  const sendOffset = new SendOffset('node-1', 2, 10, () => START_MS)
  const before = sendOffset.waitMs()
  sendOffset.spread = 4
  t.equal(Math.round(sendOffset.waitMs() / before), 2)
  sendOffset.spread = 0
  t.equal(sendOffset.waitMs(), 0)
})
