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
  t.match(
    screen([host({ partial: true })]),
    /22:13:20Z {2}\(the first, not a whole one: shown, not stored\)\n/,
  )
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
