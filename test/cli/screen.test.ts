import stringWidth from 'string-width'
import t from 'tap'
import { screen } from '../../cli/screen.ts'
import type { TopHost, TopRow } from '../../collector/serve/top.ts'

const row = (change: Partial<TopRow> = {}): TopRow => ({
  id: 'c1',
  name: 'web',
  pod: 'shop/front',
  asClient: 2,
  asServer: 14,
  rtt: 0.1234,
  rttVariance: 25.06,
  ...change,
})
const host = (change: Partial<TopHost> = {}): TopHost => ({
  host: 'node1',
  time: 1_700_000_000,
  partial: false,
  containers: [],
  processes: [],
  total: { containers: change.containers?.length ?? 0, processes: change.processes?.length ?? 0 },
  ...change,
})

t.test('before the first window it says what it waits for', async t => {
  t.equal(screen([]), 'waiting for the end of the first window …\n')
})

t.test(
  'columns line up: names to the left, numbers to the right, and no value is a dash, never 0',
  async t => {
    const containers = [
      row(),
      row({ id: 'c234567', name: '', pod: '', rtt: null, rttVariance: null, asClient: 0 }),
    ]
    t.equal(
      screen([host({ containers })]),
      `node1  window until 2023-11-14T22:13:20Z

CONTAINER  name  pod         client  server  rtt ms  ± ms
c1         web   shop/front       2      14   0.123  25.1
c234567                           0      14       -     -

PROCESS  name  pod  client  server  rtt ms  ± ms
`,
    )
  },
)

t.test('the first window says that it is not a whole one', async t => {
  t.match(screen([host({ partial: true })]), /22:13:20Z {2}\(the first, incomplete: shown, not stored\)\n/)
})

t.test('of many rows the first twelve are shown, and how many more there are', async t => {
  const processes = Array.from({ length: 15 }, (_, pid) => row({ id: `pid${pid}` }))
  const text = screen([host({ processes })])
  t.match(text, /^pid11 /m)
  t.notMatch(text, /^pid12 /m)
  t.match(text, '… and 3 more')
  t.match(screen([host({ processes, total: { containers: 0, processes: 300 } })]), '… and 288 more')
})

t.test('names command no terminal and break no line', async t => {
  const names = row({ id: '7\u009b', name: 'a\u001b[2Jb\r\nc', pod: '\u202eé木\u0000' })
  const text = screen([host({ host: 'h\u0007', processes: [names] })])
  t.notMatch(text, /(?!\n)\p{C}/u)
  t.match(text, /^7· +a·\[2Jb··c +·é木·/m)
  t.match(text, /^h· /)
})

t.test('each host has its own table', async t => {
  const text = screen([host(), host({ host: 'node2' })])
  t.same(text.match(/^node\d/gm), ['node1', 'node2'])
})

const process = {
  exe: '/usr/lib/postgresql/17/bin/postgres',
  comm: 'postgres',
  parent_comm: 'systemd',
  uid: 1000,
}
/** Names as clusters have them, and as nobody wants them: wide, combining and with commands in them. */
const many = (count: number): TopRow[] =>
  Array.from({ length: count }, (_, index) =>
    row({
      id: `0123456789a${index % 10}`,
      name: [
        'web',
        '収集収集収集収集収集収集収集収集',
        'e\u0301'.repeat(20),
        '👩‍👩‍👧‍👦 family',
        'a\u001b[2J',
      ][index % 5]!,
      pod: `a-namespace-with-a-name/and-its-deployment-7d9c5b6f4d-x${index}`,
      process: process as NonNullable<TopRow['process']>,
    }),
  )
const busy = (hosts: number, rows: number) =>
  Array.from({ length: hosts }, (_, index) =>
    host({
      host: `node${index}.a.region.of.a.cloud.example`,
      partial: true,
      containers: many(rows),
      processes: many(rows),
      total: { containers: rows * 10, processes: rows * 10 },
    }),
  )

for (const [rows, columns] of [
  [24, 80],
  [50, 40],
  [24, 132],
  [10, 30],
  [60, 200],
] as const)
  t.test(`a terminal of ${rows}x${columns} has room for the table`, async t => {
    for (const hosts of [busy(1, 1), busy(1, 3), busy(1, 30), busy(5, 2), busy(40, 30), []]) {
      const lines = screen(hosts, { rows, columns }).trimEnd().split('\n')
      t.ok(lines.length <= rows, `${lines.length} rows`)
      for (const line of lines) t.ok(stringWidth(line) <= columns, line)
    }
    const text = screen(busy(1, 30), { rows, columns })
    t.match(text, /^CONTA/m)
    t.match(text, /^PROC/m)
    t.equal(text.match(/… and \d+ more$/gm)?.length, 2, 'both tables say how many are left out')
  })

t.test('the busiest stay, in all columns that there is room for', async t => {
  const lines = screen([host({ containers: many(12), processes: many(12) })], {
    rows: 23,
    columns: 80,
  }).split('\n')
  t.match(lines[2], /^CONTAINER +name +pod +client +server +rtt ms +± ms$/)
  t.match(lines[3], /^0123456789a0 +web +a-nam.*… +2 +14 +0\.123 +25\.1$/)
  t.equal(lines.filter(line => line.startsWith('0123456789a0')).length, 2)
  const narrow = screen([host({ containers: many(2) })], { rows: 50, columns: 40 }).split('\n')
  t.match(narrow[2], /^\S+ +name +client +server +rtt ms$/, 'pod and variance leave before names and numbers')
  t.match(narrow[3], / 2 +14 +0\.123$/)
  const wide = screen([host({ containers: many(2) })], { rows: 50, columns: 200 })
  t.match(wide, '/usr/lib/postgresql/17/bin/postgres, of systemd, uid 1000')
})

t.test('columns line up below wide characters', async t => {
  const lines = screen([host({ containers: many(5) })], { rows: 50, columns: 100 }).split('\n')
  const ends = lines.slice(2, 8).map(line => stringWidth(/^.*?(?=\s+\S*\/usr|\s*$)/u.exec(line)![0]))
  t.equal(new Set(ends.slice(1)).size, 1)
})

t.test("room that one table leaves is the other one's", async t => {
  const text = screen([host({ containers: many(1), processes: many(12) })], { rows: 18, columns: 80 })
  t.equal(text.match(/^0123456789a/gm)?.length, 13)
  t.notMatch(text, 'more')
})

t.test('hosts that have no room are counted', async t => {
  const text = screen(busy(5, 1), { rows: 24, columns: 80 })
  t.match(text, /^node0/m)
  t.match(text, /^… and \d more hosts$/m)
})
