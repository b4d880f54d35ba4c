/** Shapes of Chronograf's files, as facts of chronograf 1.11: chronograf.go and the web interface's types. */

import { basename } from 'node:path'
import t, { type Test } from 'tap'
import { catalogue } from '../../collector/metrics/catalogue.ts'
import { files, paths, read } from './files.ts'

interface Cell {
  readonly i: string
  readonly x: number
  readonly y: number
  readonly w: number
  readonly h: number
  readonly name: string
  readonly type: string
  readonly queries: readonly { readonly query: string; readonly queryConfig: Record<string, unknown> }[]
}
interface Template {
  readonly id: string
  readonly tempVar: string
  readonly type: string
  readonly values: readonly { readonly value: string; readonly type: string; readonly selected: boolean }[]
}

const TYPES = ['line', 'line-stacked', 'bar', 'single-stat', 'table']
const parsed = (path: string) => JSON.parse(read(path)) as Record<string, unknown>

function checkCells(t: Test, cells: readonly Cell[], templates: readonly Template[]): void {
  const taken = new Set<string>()
  t.equal(new Set(cells.map(({ i }) => i)).size, cells.length, 'ids are unique')
  for (const { x, y, w, h, name, type, queries } of cells) {
    t.ok(x >= 0 && w > 0 && h > 0 && x + w <= 12 && Number.isInteger(w), `${name} lies in 12 columns`)
    for (let column = x; column < x + w; column++)
      for (let row = y; row < y + h; row++) {
        if (taken.has(`${column} ${row}`)) t.fail(`${name} overlaps`)
        taken.add(`${column} ${row}`)
      }
    t.ok(TYPES.includes(type), `${name}: ${type}`)
    t.ok(queries.length > 0, name)
    for (const { query, queryConfig } of queries) {
      t.match(query, 'time > :dashboardTime:', name)
      if (type !== 'table') t.match(query, 'GROUP BY time(:interval:)', name)
      t.equal(queryConfig['rawText'], query)
      for (const [variable] of query.matchAll(/(?<=\():(host|namespace|pod|container):/g))
        t.ok(
          templates.some(({ tempVar }) => tempVar === variable),
          `${name}: ${variable} is there`,
        )
    }
  }
  for (const { type, values, tempVar } of templates) {
    t.match(tempVar, /^:\w+:$/)
    t.same([type, values.map(({ value, type }) => [value, type])], ['text', [['.*', 'constant']]])
  }
}

t.test('each dashboard is there in the three forms, and they say the same', async t => {
  const names = [...new Set(files.map(({ name }) => name))].sort()
  const of = (pattern: string, end: string) =>
    paths(pattern)
      .map(path => basename(path, end))
      .sort()
  t.same(of('chronograf/import/*', '.json'), names)
  t.same(of('chronograf/resources/*', '.dashboard'), names)
  t.same(of('chronograf/protoboards/*', '.json'), names)
  const measurements = catalogue.map(({ name }) => name)
  for (const name of names) {
    const resource = parsed(`chronograf/resources/${name}.dashboard`)
    t.same(Object.keys(resource), ['id', 'name', 'organization', 'cells', 'templates'], name)
    t.equal(resource['organization'], 'default')
    checkCells(t, resource['cells'] as Cell[], resource['templates'] as Template[])
    const { meta, dashboard } = parsed(`chronograf/import/${name}.json`)
    t.match(meta, { chronografVersion: /^1\.\d+/, sources: {} })
    t.same(dashboard, resource)
    const board = parsed(`chronograf/protoboards/${name}.json`) as {
      id: string
      meta: { name: string; version: string; measurements: string[] }
      data: { cells: Cell[]; templates: Template[] }
    }
    t.equal(board.meta.name, resource['name'])
    t.ok(board.meta.measurements.length > 0)
    for (const measurement of board.meta.measurements) t.ok(measurements.includes(measurement), measurement)
    checkCells(t, board.data.cells, board.data.templates)
    const queries = board.data.cells.flatMap(({ queries }) => queries.map(({ query }) => query))
    for (const query of queries)
      t.match(query, 'FROM ":db:".":rp:".', 'of the connection that it is opened in')
    t.same(
      queries.map(query => query.replaceAll('":db:".":rp:".', '"sockflux"."autogen".')),
      (resource['cells'] as Cell[]).flatMap(({ queries }) => queries.map(({ query }) => query)),
    )
  }
})
