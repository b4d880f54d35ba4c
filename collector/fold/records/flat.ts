/** The records of `wire/host_records.ts`: interfaces, CPU, memory, the probe itself. */

import { tableOf } from '../../../wire/count/table.ts'
import { type HostRecord, hostColumns } from '../../../wire/host_records.ts'
import { type Layout, numberOf, textOf, viewOf } from '../../../wire/layout.ts'
import type { Decoder, Into } from './record.ts'

export const hostDecoder =
  (record: HostRecord) =>
  (layout: Layout): Decoder => {
    const columns = hostColumns[record]
    const table = tableOf(layout, columns, [])
    const fields = Object.entries(columns).map(([name, type]) => {
      const size = typeof type === 'number' ? type : Number(type.slice(1)) / 8
      return {
        name,
        offset: table.at[name]!,
        size,
        type: typeof type === 'number' ? ('bytes' as const) : type,
      }
    })
    const known: Layout = { name: record, size: table.size, fields }
    const texts = fields
      .filter(({ type }) => type === 'bytes')
      .map(({ name }) => [name, textOf(known, name)] as const)
    const numbers = fields
      .filter(({ type }) => type !== 'bytes')
      .map(({ name }) => [name, numberOf(known, name)] as const)
    const fold = (incoming: Buffer, into: Into) => {
      const rows = table.rows(incoming)
      const view = viewOf(rows)
      for (let row = 0; row < rows.length; row += table.size)
        into.keep(record, {
          tags: Object.fromEntries(texts.map(([name, read]) => [name, read(rows, row)])),
          numbers: Object.fromEntries(numbers.map(([name, read]) => [name, read(view, row)])),
        })
    }
    return { size: table.incoming, fold }
  }
