import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { FIGURES, TEXTS } from '../../../collector/flows/record.ts'

const document = readFileSync(join(import.meta.dirname, '../../../docs/flows.md'), 'utf8')

t.test('every column is in the document, with what it says', async t => {
  const columns = [...TEXTS, ...FIGURES]
  t.same([...new Set(columns.map(({ name }) => name))].length, columns.length, 'no name twice')
  for (const { name, help } of columns) t.ok(document.includes(`| \`${name}\` | ${help} |`), name)
})
