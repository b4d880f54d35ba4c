import t from 'tap'

interface Row {
  readonly name: string
  readonly sent: number
}
interface Window {
  readonly levels: Readonly<Record<string, { readonly rows: readonly Row[] }>>
}
type View = Readonly<Record<string, string>>
const CHOSEN: string = '../../../collector/page/site/data/chosen.js'
const ROWS: string = '../../../collector/page/site/data/rows.js'
const { rowsOf } = (await import(CHOSEN)) as {
  rowsOf: (levels: Window['levels'], level: string, view: View) => Row[]
}
const { decode, totalOf } = (await import(ROWS)) as {
  decode: (window: object, columns: readonly string[]) => Window
  totalOf: (rows: readonly Row[], role: string) => object
}

const COLUMNS = ['id', 'name', 'pod', 'namespace', 'container', 'members']
const NUMBERS = ['flows.client', 'flows.server', 'p95.client', 'p95.server', 'sent']
const row = (names: readonly (string | number)[], numbers: readonly (number | null)[]) => [
  ...names,
  ...numbers,
]

/** Host h: web and log in the pod shop/web-0, db in db/db-0, and what is in none; nginx runs in web and in db. */
const CONTAINERS = [
  row(['', '(host)', '', '', '', 0], [1, 0, 5, null, 1]),
  row(['w', 'web', 'web-0', 'shop', '', 1], [2, 1, 3, null, 10]),
  row(['l', 'log', 'web-0', 'shop', '', 1], [0, 4, 9, 7, 100]),
  row(['d', 'db', 'db-0', 'db', '', 1], [8, 0, 99, null, 1000]),
]
const { levels } = decode(
  {
    ...{ host: 'h', interval: 10 },
    levels: {
      container: { total: 4, rows: CONTAINERS },
      pod: {
        total: 2,
        rows: [
          row(['shop/web-0', 'web-0', 'web-0', 'shop', '', 2], [2, 5, 9, 7, 110]),
          row(['db/db-0', 'db-0', 'db-0', 'db', '', 1], [8, 0, 99, null, 1000]),
        ],
      },
      process: {
        total: 3,
        rows: [
          row(['w/nginx', 'nginx', 'web-0', 'shop', 'w', 2], [2, 0, 3, null, 6]),
          row(['d/nginx', 'nginx', 'db-0', 'db', 'd', 1], [1, 0, 2, null, 7]),
          row(['/sshd', 'sshd', '', '', '', 1], [1, 0, 5, null, 1]),
        ],
      },
      host: { total: 1, rows: [row(['h', 'h', '', '', '', 3], [11, 5, 99, 7, 1111])] },
    },
  },
  [...COLUMNS, ...NUMBERS],
)
const NONE = { host: '', namespace: '', pod: '', container: '', process: '', role: '', text: '' }
const chosen = (level: string, filters: Partial<typeof NONE>) =>
  rowsOf(levels, level, { ...NONE, ...filters })
const sentOf = (level: string, filters: Partial<typeof NONE>) =>
  chosen(level, filters).map(({ name, sent }) => [name, sent])

t.test('a host has what is chosen of its containers, and no more', async t => {
  t.same(sentOf('host', {}), [['h', 1111]], 'all of it')
  t.match(chosen('host', { namespace: 'shop' }), [
    { name: 'h', members: 2, flows: [2, 5], p95: [9, 7], sent: 110, interval: 10 },
  ])
  t.same(sentOf('host', { pod: 'db-0' }), [['h', 1000]])
  t.same(sentOf('host', { container: 'w' }), [['h', 10]])
  t.same(sentOf('host', { container: '(host)' }), [['h', 1]])
  t.same(sentOf('host', { namespace: 'nowhere' }), [])
  t.same(sentOf('host', { host: 'other', namespace: 'shop' }), [])
})

t.test('a pod has what is chosen of its containers', async t => {
  t.same(sentOf('pod', { container: 'l' }), [['web-0', 100]])
  t.same(sentOf('pod', { container: 'l', namespace: 'db' }), [])
  t.same(sentOf('pod', { container: '(host)' }), [], 'what is in no container is in no pod')
  t.same(sentOf('pod', { namespace: 'db' }), [['db-0', 1000]])
})

t.test('a process that is chosen is all that is counted', async t => {
  t.same(sentOf('container', { process: 'nginx' }), [
    ['web', 6],
    ['db', 7],
  ])
  t.same(sentOf('container', { process: 'sshd' }), [['(host)', 1]])
  t.same(sentOf('pod', { process: 'nginx', pod: 'web-0' }), [['web-0', 6]])
  t.same(sentOf('host', { process: 'nginx' }), [['h', 13]])
})

t.test('text is looked for in names of the level that is shown', async t => {
  t.same(sentOf('host', { namespace: 'shop', text: 'web' }), [], 'no host is called so')
  t.same(sentOf('pod', { container: 'l', text: 'WEB' }), [['web-0', 100]])
  t.same(sentOf('container', { process: 'nginx', text: 'db' }), [['db', 7]])
})

t.test('the point of a chart is of the same rows', async t => {
  const point = totalOf(chosen('host', { namespace: 'shop', role: 'server' }), 'server')
  t.match(point, { flows: 5, sent: 11, p95: 7 })
})
