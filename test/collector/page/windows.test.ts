import t from 'tap'
import type { PageWindow } from '../../../collector/page/rows.ts'
import { Sessions } from '../../../collector/page/sessions.ts'
import { Windows } from '../../../collector/page/windows.ts'

const none = { total: 0, rows: [] }
const levels = { container: none, pod: none, process: none, host: none }
const window = (host: string, time = 1010): PageWindow => ({
  ...{ host, time, interval: 10, partial: false, complete: true, levels },
})

t.test('a browser gets the last window of each host, then each that ends', async t => {
  const windows = new Windows(() => 0)
  const gone = new AbortController()
  windows.take(window('h'))
  windows.take(window('g'))
  const events = windows.events('first\n\n', gone.signal, () => true)
  const next = async () => (await events.next()).value
  t.equal(await next(), 'first\n\n')
  t.match(await next(), /^event: window\ndata: {"host":"h",.*}\n\n$/)
  t.match(await next(), /"host":"g"/)
  const third = next()
  windows.take(window('h', 1020))
  t.match(await third, /"host":"h","time":1020/)
  const end = events.next()
  gone.abort()
  await end
  t.equal((await events.next()).done, true)
})

t.test('a stream keeps its session alive, and ends with it', async t => {
  let now = 1e12
  const sessions = new Sessions(undefined, () => now)
  const secret = sessions.begin()
  const session = sessions.find(secret)!
  const windows = new Windows(() => 0)
  const events = windows.events('first', new AbortController().signal, () => sessions.use(session))
  const next = (time: number) => {
    windows.take(window('h', time))
    return events.next()
  }
  await next(1)
  for (let hour = 1; hour < 24; hour++) {
    now += 3_600_000
    t.equal((await next(hour)).done, false, `hour ${hour}`)
  }
  t.ok(sessions.find(secret), 'it was used all day')
  for (let each = 0; each < 32; each++) sessions.begin()
  t.equal((await next(25)).done, true, 'others took its place')

  const week = sessions.find(sessions.begin())!
  const long = windows.events('first', new AbortController().signal, () => sessions.use(week))
  await long.next()
  const began = now
  while (now - began < 7 * 24 * 3_600_000) {
    now += 6 * 3_600_000
    windows.take(window('h', now / 1000))
    if (now - began <= 7 * 24 * 3_600_000) t.equal((await long.next()).done, false)
  }
  now++
  windows.take(window('h', now / 1000))
  t.equal((await long.next()).done, true, 'a week is the most')
})

t.test('hosts share the rows that are kept', async t => {
  const windows = new Windows(() => 0)
  t.equal(windows.mostRows, 2000)
  for (let host = 0; host < 50; host++) windows.take(window(`h${host}`))
  t.equal(windows.mostRows, 2000)
  for (let host = 50; host < 2000; host++) windows.take(window(`h${host}`))
  t.equal(windows.mostRows, 100)
})
