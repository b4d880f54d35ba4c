import t from 'tap'
import { Positions } from '../../../../../collector/ingest/link/nats/positions.ts'

/** Adds up what it is told of a host. */
class Sum {
  readonly of = new Map<string, number>()
  save = (host: string) => this.of.get(host)
  load = (host: string, saved: unknown) => void this.of.set(host, Number(saved ?? 0))
  forget = (host: string) => void this.of.delete(host)
}

/** Windows of one host as the stream has them, read one after the other; settled when the test says so. */
function reader(saved?: ReturnType<Positions['save']>) {
  const [probes, series] = [new Sum(), new Sum()]
  const positions = new Positions({ probes, series }, saved, saved?.from ?? 1)
  const read = (host: string, sequence: number) => {
    if (!positions.isNew(host, sequence)) return undefined
    const { border, settled } = positions.begin({ host, first: sequence, last: sequence, interval: 1 })
    probes.load(host, (probes.save(host) ?? 0) + sequence)
    border?.()
    series.load(host, (series.save(host) ?? 0) + sequence)
    return settled
  }
  return { positions, series, probes, read }
}

const none = Number.POSITIVE_INFINITY

t.test('everything that is settled is known, and the next one goes on behind it', async t => {
  const { positions, read } = reader()
  for (let sequence = 1; sequence <= 4; sequence++) read('a', sequence)!()
  const saved = positions.save(none)
  t.same(saved, { from: 5, hosts: { a: { sequence: 5, probes: 10, series: 10 } } })
  const next = reader(saved)
  t.equal(next.read('a', 4), undefined, 'what is in it is not read again')
  next.read('a', 5)
  t.equal(next.series.save('a'), 15)
})

t.test('a window that is never settled holds what is known, not what is read', async t => {
  const { positions, read } = reader()
  const settled = Array.from({ length: 20 }, (_, index) => read('a', index + 1)!)
  for (const [index, settle] of settled.entries()) if (index !== 9) settle()
  const { from, hosts } = positions.save(none)
  t.same(hosts['a'], { sequence: 7, probes: 21, series: 21 }, 'at the border before the seventh')
  t.equal(from, 7)
  t.equal(positions.waiting, 1)
})

t.test('whoever reads again from there comes to the same sums', async t => {
  const first = reader()
  let unsettled = () => {}
  for (let sequence = 1; sequence <= 100; sequence++) {
    const settle = first.read(`h${sequence % 3}`, sequence)!
    if (sequence % 7 === 0) {
      unsettled()
      unsettled = settle
    } else settle()
  }
  const saved = JSON.parse(JSON.stringify(first.positions.save(none)))
  t.ok(saved.from > 60 && saved.from <= 98, `from ${saved.from}`)
  const second = reader(saved)
  for (let sequence = saved.from; sequence <= 100; sequence++) second.read(`h${sequence % 3}`, sequence)
  t.same([...second.series.of].sort(), [...first.series.of].sort())
})

t.test('a part of a window that is not whole is read again', async t => {
  const { positions, read } = reader()
  read('a', 1)!()
  t.equal(positions.save(1).from, 1)
})
