import { readFileSync } from 'node:fs'
import t from 'tap'
import { generate, target } from '../../../collector/metrics/generate.ts'

t.test('docs/METRICS.md is generated from the tables', async t => {
  t.equal(readFileSync(target, 'utf8'), generate())
})
