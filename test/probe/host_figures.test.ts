import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { Host, hostRows, ProbeStats, parseInterfaces } from '../../probe/host_figures.ts'
import { numberOf, type Rows, textOf, viewOf } from '../../wire/layout.ts'

const memory = async () => ({
  ...{ total_bytes: 1000, used_bytes: 400, available_bytes: 600, cached_bytes: 50 },
  ...{ swap_total_bytes: 0, swap_used_bytes: 0 },
})

/** From lines of `name: bytes packets errs drop fifo frame compressed multicast` twice, as /proc/net/dev has them. */
const dev = (...lines: string[]) => `Inter-| Receive | Transmit\n face |bytes |bytes\n${lines.join('\n')}\n`
const counters = (rx: number, tx: number) => `${rx} 2 3 4 0 0 0 0 ${tx} 6 7 8 0 0 0 0`

function procWith(t: Test): (files: Record<string, string>) => string {
  const proc = mkdtempSync(join(tmpdir(), 'sockflux-host-'))
  t.teardown(() => rmSync(proc, { recursive: true }))
  mkdirSync(join(proc, 'net'))
  return files => {
    for (const [name, text] of Object.entries(files)) writeFileSync(join(proc, name), text)
    return proc
  }
}

const read = ({ layout, bytes: rows }: Rows) =>
  Array.from({ length: rows.length / layout.size }, (_, index) =>
    Object.fromEntries(
      layout.fields.map(({ name, type }) => [
        name,
        type === 'bytes'
          ? textOf(layout, name)(rows, index * layout.size)
          : numberOf(layout, name)(viewOf(rows), index * layout.size),
      ]),
    ),
  )

const STAT = 'cpu  100 10 50 800 20 5 5 10 0 0\ncpu0 1 1 1 1 1 1 1 1 0 0\ncpu1 1 1 1 1 1 1 1 1 0 0\nintr 1\n'
const LATER = STAT.replace('100 10 50 800 20 5 5 10', '120 10 60 850 15 5 5 30')

t.test('interfaces and CPU from the second call on, each by what it rose', async t => {
  const write = procWith(t)
  const proc = write({
    'net/dev': dev(` lo: ${counters(10, 10)}`, `eth0:${counters(100, 200)}`),
    stat: STAT,
    loadavg: '0.75 0.5 0.2 1/2 3\n',
  })
  const host = new Host({ proc, memory })
  t.same(
    (await host.sample()).map(({ layout }) => layout.name),
    ['host_mem'],
  )
  write({
    'net/dev': dev(` lo: ${counters(5, 5)}`, `eth0:${counters(150, 2 ** 40)}`, `new: ${counters(7, 0)}`),
    stat: LATER,
  })
  const [iface, cpu, mem] = await host.sample()
  t.match(read(iface!), [
    { ifname: 'lo', rx_bytes: 5, tx_bytes: 5, rx_packets: 2 },
    { ifname: 'eth0', rx_bytes: 50, tx_bytes: 2 ** 40 - 200, rx_packets: 0 },
    { ifname: 'new', rx_bytes: 7, rx_packets: 2, rx_errors: 3, rx_dropped: 4, tx_packets: 6, tx_dropped: 8 },
  ])
  // 100 ticks: 20 user, 10 system, 20 steal, 50 idle; iowait went back
  t.same(read(cpu!), [{ load: 5000, user: 2000, system: 1000, steal: 2000, load1: 75, cores: 2 }])
  t.match(read(mem!), [{ total_bytes: 1000, available_bytes: 600 }])
  t.equal(host.failures, 0)
})

t.test('sixty-four interfaces, and the others as one', async t => {
  const write = procWith(t)
  const names = Array.from({ length: 70 }, (_, index) => `veth${index}`)
  const all = (rx: number) => ({ 'net/dev': dev(...names.map(name => `${name}: ${counters(rx, 0)}`)) })
  const host = new Host({ proc: write({ ...all(1), stat: STAT, loadavg: '0 0 0\n' }), memory })
  await host.sample()
  write(all(3))
  const rows = read((await host.sample())[0]!)
  t.equal(rows.length, 65)
  t.match(rows[64], { ifname: '~other', rx_bytes: 12 })
})

t.test('what cannot be read is counted, and the rest goes on', async t => {
  const write = procWith(t)
  const proc = write({ stat: 'nonsense', loadavg: '' })
  const host = new Host({ proc, memory })
  const found = await host.sample()
  t.same(
    found.map(({ layout }) => layout.name),
    ['host_mem'],
  )
  t.equal(host.failures, 2)
  const none = new Host({ proc, memory: () => Promise.reject(new Error('no')) })
  t.same(await none.sample(), [])
})

t.test('a figure that hangs delays no window and is not asked twice at once', async t => {
  const write = procWith(t)
  const proc = write({ 'net/dev': dev(), stat: STAT, loadavg: '0 0 0\n' })
  const hanging = Promise.withResolvers<Awaited<ReturnType<typeof memory>>>()
  let asked = 0
  const hang = () => {
    asked++
    return hanging.promise
  }
  const host = new Host({ proc, memory: hang, limitMs: 300 })
  t.same(await host.sample(), [])
  await host.sample()
  t.equal(asked, 1)
  t.equal(host.failures, 2)
  hanging.resolve(await memory())
  await hanging.promise
  await new Promise(resolve => setImmediate(resolve))
  t.match(
    (await host.sample()).map(({ layout }) => layout.name),
    ['host_cpu', 'host_mem'],
  )
})

t.test('this machine has all of them, or tracks no connections', async t => {
  const host = new Host()
  await host.sample()
  const found = await host.sample()
  t.same(
    found.map(({ layout }) => layout.name).filter(name => name !== 'host_conntrack'),
    ['iface', 'host_cpu', 'host_mem'],
  )
  t.ok(read(found[0]!).some(({ ifname }) => ifname === 'lo'))
  const [mem] = read(found[2]!)
  t.ok(mem!['total_bytes']! > mem!['available_bytes']!)
})

t.test('lines that are no interface are left out', async t => {
  t.same([...parseInterfaces(dev('eth0: 1 2 3', 'no colon', `e:th: ${counters(1, 2)}`)).keys()], ['e:th'])
  t.same([...parseInterfaces('').keys()], [])
})

t.test("the probe's own row says what rose since the one before", async t => {
  const stats = new ProbeStats()
  const now = { user_us: 100, system_us: 50, rss_bytes: 9, queue_bytes: 1, queue_messages: 1 }
  const more = { rows: 5, messages: 2, guessed_flows: 0, host_failures: 0 }
  t.match(read(stats.since({ ...now, ...more })), [{ user_us: 100, rows: 5, rss_bytes: 9 }])
  t.match(read(stats.since({ ...now, ...more, user_us: 130, rss_bytes: 8 })), [
    { user_us: 30, system_us: 0, rows: 0, rss_bytes: 8, queue_bytes: 1 },
  ])
  t.equal(hostRows('iface', []).bytes.length, 0)
})

t.test('what the kernel tracks, where it tracks anything', async t => {
  const write = procWith(t)
  const proc = write({ stat: STAT, loadavg: '0 0 0\n', 'net/dev': dev() })
  const host = new Host({ proc, memory })
  await host.sample()
  t.equal(host.failures, 0, 'no module is no failure')
  mkdirSync(join(proc, 'sys/net/netfilter'), { recursive: true })
  write({ 'sys/net/netfilter/nf_conntrack_count': '17\n', 'sys/net/netfilter/nf_conntrack_max': '65536\n' })
  const found = (await host.sample()).find(({ layout }) => layout.name === 'host_conntrack')
  t.same(read(found!), [{ count: 17, max: 65_536 }])
})
