import fc from 'fast-check'
import pino from 'pino'
import t from 'tap'
import { Fold } from '../../../collector/fold/fold.ts'
import type { Folded } from '../../../collector/ingest/folded.ts'
import { SharedHosts } from '../../../collector/ingest/shared_hosts.ts'
import { ThrottledLog } from '../../../wire/process/throttled_log.ts'
import { windowOf } from '../given.ts'

const START = 1_767_000_000
const INTERVAL = 10

/** What the collector stores: the host of each window, by run and label. */
function collector(hasHostTag = true) {
  let now = 0
  const said: string[] = []
  const log = pino({}, { write: line => said.push(JSON.parse(line).msg) })
  const stored: string[] = []
  const restarted: string[] = []
  const next = {
    write: ({ key, time }: Folded) => stored.push(`${key.probe} ${(time - START) / INTERVAL} ${key.host}`),
    settled: ({ host }: { host: string }, elsewhere: boolean) => elsewhere && restarted.push(host),
  }
  const clock = () => now
  const hosts = new SharedHosts(next, hasHostTag, new ThrottledLog(log, clock), clock)
  return { hosts, said, stored, restarted, wait: (ms: number) => (now += ms) }
}

/** Window `at` on the grid of one run. */
const of = (run: string, at: number, more: Partial<Folded> = {}, boot = 'b', host = 'web1'): Folded =>
  windowOf(new Fold(), {
    key: { host, boot, probe: run, window: at },
    time: START + at * INTERVAL,
    interval: INTERVAL,
    ...more,
  })
const PARTIAL = { partial: true }
const send = (to: ReturnType<typeof collector>, windows: readonly Folded[], ifid = '0') => {
  for (const window of windows) to.hosts.write(window, ifid, () => {})
}
const apart = ({ stored }: ReturnType<typeof collector>) => stored.filter(line => line.includes('~'))

t.test('of two machines with one name the later one is kept apart, counted and logged', async t => {
  const site = collector()
  const a = [1, 2, 3, 4].map(at => of('aaaa1111', at, {}, 'boot a'))
  const b = [1, 2, 3, 4].map(at => of('bbbb2222', at, at === 1 ? PARTIAL : {}, 'boot b'))
  send(
    site,
    a.flatMap((window, at) => [window, b[at]!]),
  )
  t.same(site.stored, [
    ...['aaaa1111 1 web1', 'bbbb2222 1 web1', 'aaaa1111 2 web1', 'bbbb2222 2 web1~bbbb'],
    ...['aaaa1111 3 web1', 'bbbb2222 3 web1~bbbb', 'aaaa1111 4 web1', 'bbbb2222 4 web1~bbbb'],
  ])
  t.same(site.hosts.losses(), { 'series/shared_hosts': 3 })
  t.same(site.hosts.view(), { shared_hosts: 3, kept_apart: ['web1~bbbb'] })
  const words =
    'two machines are called web1: give each a --host of its own; the one that came later is stored as host web1~bbbb'
  t.same(site.said, [words], 'at once')
  site.wait(60_001)
  send(site, [of('bbbb2222', 5, {}, 'boot b')])
  t.same(site.said, [words, words], 'and again after a minute')
})

t.test('two probes with one boot id run on one machine', async t => {
  const site = collector()
  send(
    site,
    [1, 2, 3].flatMap(at => [of('aaaa', at), of('bbbb', at)]),
  )
  t.same(site.said, [
    'two probes run on one machine, web1: stop one; the one that came later is stored as host web1~bbbb',
  ])
  t.equal(site.hosts.shared, 2)
})

t.test('windows between those of another run are a conflict, too', async t => {
  const site = collector()
  const between = (at: number) => of('bbbb', at + 0.5)
  send(
    site,
    [1, 2, 3, 4].flatMap(at => [of('aaaa', at), between(at)]),
  )
  t.match(site.stored, ['aaaa 1 web1', 'bbbb 1.5 web1', 'aaaa 2 web1', 'bbbb 2.5 web1~bbbb'])
})

t.test('the conflict may show with a window of the earlier run', async t => {
  const site = collector()
  send(site, [of('aaaa', 1), of('bbbb', 2), of('aaaa', 2), of('bbbb', 3), of('aaaa', 3)])
  t.match(site.stored, ['aaaa 1 web1', 'bbbb 2 web1', 'aaaa 2 web1', 'bbbb 3 web1~bbbb', 'aaaa 3 web1'])
})

t.test('a third run is kept apart from both, also with the same first characters', async t => {
  const site = collector()
  for (const at of [1, 2, 3, 4])
    send(
      site,
      ['aaaa0', 'bbbb1', 'bbbb2'].map(run => of(run, at)),
    )
  t.same(new Set(site.stored.slice(-3)), new Set(['aaaa0 4 web1', 'bbbb1 4 web1~bbbb', 'bbbb2 4 web1~bbbb2']))
})

t.test('another host, or another endpoint, is no conflict', async t => {
  const site = collector()
  for (const at of [1, 2, 3]) {
    send(site, [of('aaaa', at), of('bbbb', at, {}, 'b', 'web2')])
    send(site, [of('cccc', at)], '1')
  }
  t.same([apart(site), site.hosts.shared, site.said], [[], 0, []])
})

t.test('a run that has ended is no conflict, also when the clock was set back since', async t => {
  const site = collector()
  send(
    site,
    [1, 2, 3, 4, 5].map(at => of('aaaa', at)),
  )
  send(
    site,
    [2, 3, 4, 5, 6].map(at => of('bbbb', at, at === 2 ? PARTIAL : {})),
  )
  t.same(apart(site), [])
})

t.test('partial and incomplete windows are no conflict', async t => {
  const site = collector()
  for (const at of [1, 2, 3])
    send(site, [of('aaaa', at), of('bbbb', at, PARTIAL), of('cccc', at, { complete: false })])
  t.same(apart(site), [])
})

t.test('when the first of two restarts, its next run keeps the name', async t => {
  const site = collector()
  for (const at of [1, 2, 3]) send(site, [of('aaaa', at), of('bbbb', at)])
  for (const at of [4, 5, 6]) send(site, [of('cccc', at), of('bbbb', at)])
  t.same(site.stored.slice(-2), ['cccc 6 web1', 'bbbb 6 web1~bbbb'])
})

t.test('only the counters of the run that moved begin again', async t => {
  const site = collector()
  for (const at of [1, 2, 3]) send(site, [of('aaaa', at), of('bbbb', at)])
  for (const run of ['aaaa', 'bbbb']) site.hosts.settled(of(run, 9).key, true)
  t.same(site.restarted, ['web1', 'web1~bbbb'])
})

t.test('profile ntopng has no tag host: the conflict is counted and logged', async t => {
  const site = collector(false)
  for (const at of [1, 2]) send(site, [of('aaaa', at), of('bbbb', at)])
  t.match(site.said, [/^two probes run on one machine, web1: stop one; profile ntopng has no tag host, so/])
})

t.test('a run that is silent for a day is forgotten', async t => {
  const site = collector()
  for (const at of [1, 2, 3]) send(site, [of('aaaa', at), of('bbbb', at)])
  site.wait(24 * 3_600_000 + 1)
  site.hosts.expire()
  t.same(site.hosts.view(), { shared_hosts: 2, kept_apart: [] })
})

/** Runs of one probe that restarts: the windows of each, the first partial and the last as well, with labels that only rise. */
const restarts = fc
  .array(fc.record({ windows: fc.integer({ min: 0, max: 6 }), pause: fc.integer({ min: 0, max: 2 }) }), {
    minLength: 2,
    maxLength: 4,
  })
  .map(runs => {
    let label = 1
    return runs.map(({ windows, pause }, index) => {
      const at = Array.from({ length: windows + 2 }, (_, window) => label + window)
      label = at.at(-1)! + pause // the first partial window may have the label of the last one of the run before
      return at.map((time, window) =>
        of(`run${index}`, time, window === 0 || window === windows + 1 ? PARTIAL : {}),
      )
    })
  })

/** Merges queues by a sequence of choices; each keeps its order. */
function merged<T>(queues: readonly (readonly T[])[], choices: readonly number[]): T[] {
  const left = queues.map(queue => [...queue])
  const all: T[] = []
  for (let turn = 0; left.some(({ length }) => length > 0); turn++) {
    const open = left.filter(({ length }) => length > 0)
    all.push(open[(choices[turn % choices.length] ?? 0) % open.length]!.shift()!)
  }
  return all
}
const choices = fc.array(fc.nat({ max: 7 }), { minLength: 1, maxLength: 30 })

t.test('a restart is no conflict, whatever the order of the windows, also when they come twice', async t => {
  fc.assert(
    fc.property(restarts, choices, fc.boolean(), (runs, order, isTwice) => {
      const site = collector()
      const windows = merged(runs, order)
      send(site, isTwice ? [...windows, ...merged(runs, order)] : windows)
      return apart(site).length === 0 && site.hosts.shared === 0 && site.said.length === 0
    }),
    { numRuns: 1000 },
  )
  t.pass('1000 restarts')
})

t.test('two probes at once are a conflict from the second window of both, whatever the order', async t => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: 8 }),
      fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
      (most, order) => {
        const site = collector()
        for (let at = 1; at <= most; at++) {
          const both = [of('aaaa', at), of('bbbb', at)]
          send(site, order[at - 1] ? both : both.reverse())
        }
        const names = new Set(site.stored.slice(4).map(line => line.split(' ')[2]))
        return names.size === 2 && site.hosts.shared >= most - 2
      },
    ),
  )
  t.pass('at once')
})
