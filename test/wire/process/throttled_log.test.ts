import pino from 'pino'
import t from 'tap'
import { ThrottledLog } from '../../../wire/process/throttled_log.ts'

function start() {
  let now = 0
  const lines: string[] = []
  const log = pino({}, { write: line => lines.push(line) })
  const wait = (ms: number) => {
    now += ms
  }
  return { log: new ThrottledLog(log, () => now), lines, wait }
}

t.test('a reason is logged once a minute, with the number that was suppressed', async t => {
  const { log, lines, wait } = start()
  for (let times = 0; times < 3; times++) log.warn('full', 'the queue is full')
  wait(60_000)
  log.warn('full', 'the queue is full')
  t.match(
    lines.map(line => JSON.parse(line)),
    [{ reason: 'full' }, { reason: 'full', suppressed: 2 }],
  )
})

t.test('each host has its own minute', async t => {
  const { log, lines } = start()
  for (const host of ['web1', 'web2', 'web1']) log.warn('clock_ahead', host, host)
  t.same(
    lines.map(line => JSON.parse(line).msg),
    ['web1', 'web2'],
  )
})

t.test('hosts from the network are bounded: the oldest is forgotten', async t => {
  const { log, lines } = start()
  for (let host = 0; host <= 4096; host++) log.warn('clock_ahead', '', `h${host}`)
  for (const host of ['h4096', 'h0']) log.warn('clock_ahead', host, host)
  t.same(JSON.parse(lines.at(-1)!).msg, 'h0', 'the one that was forgotten')
  t.equal(lines.length, 4098)
})
