import t from 'tap'
import { Fold } from '../../../../collector/fold/fold.ts'
import { decoder } from '../../../../collector/fold/records/decoder.ts'
import { encodeRows } from '../../../../wire/columns.ts'
import { hostLayout } from '../../../../wire/host_records.ts'

const nobody = { cgroups: {}, containers: {}, pods: {} }
const layout = hostLayout('iface')

const add = (fold: Fold, as: typeof layout, rows: readonly Record<string, number | string>[]) =>
  fold.add(encodeRows(as, rows as never), decoder(as), nobody)

t.test('texts are tags, numbers are numbers, of whatever version', async t => {
  const fold = new Fold()
  add(fold, layout, [{ ifname: 'eth0', rx_bytes: 2 ** 40 }, { ifname: 'a name too long for it' }])
  const older = { ...layout, fields: layout.fields.filter(({ name }) => /ifname|tx_bytes/.test(name)) }
  add(fold, older, [{ ifname: 'lo', tx_bytes: 5 }])
  const rows = fold.flat('iface')
  t.same(
    rows.map(({ tags }) => tags),
    [{ ifname: 'eth0' }, { ifname: 'a name too long ' }, { ifname: 'lo' }],
  )
  t.match(rows[0]!.numbers, { rx_bytes: 2 ** 40, tx_bytes: 0 })
  t.match(rows[2]!.numbers, { rx_bytes: 0, tx_bytes: 5 })
  t.same(fold.flat('host_cpu'), [])
})

t.test('256 rows of a record and window are kept, the others counted', async t => {
  const fold = new Fold()
  add(
    fold,
    layout,
    Array.from({ length: 300 }, (_, index) => ({ ifname: `veth${index}` })),
  )
  t.equal(fold.flat('iface').length, 256)
  t.equal(fold.overflowed, 44)
})
