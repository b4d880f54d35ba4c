/**
 * All tests, through tap; a line per test, the whole report of what fails, and last `N passed, N failed, N skipped`.
 *
 *     node test/run.ts [file ...]
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { createInterface } from 'node:readline'

const given = process.argv.slice(2)
const files = given.length > 0 ? given : globSync('test/**/*.test.ts').sort()

/** The counts that tap closes its report with: `# { total: 3, pass: 2, skip: 1 }`. */
const counted = { pass: 0, fail: 0, skip: 0, todo: 0 }
let closed = false

const tap = spawn(
  process.execPath,
  ['node_modules/tap/dist/esm/run.mjs', 'run', '--reporter=tap', '--disable-coverage', ...files].filter(
    Boolean,
  ),
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
/** Indented deeper than a test's own line: shown only below one that failed. */
let failing = -1
for await (const line of createInterface({ input: tap.stdout })) {
  const totals = /^# (\{ total: .* \})$/.exec(line)
  if (totals) {
    closed = true
    for (const [, name, count] of totals[1]!.matchAll(/(\w+): (\d+)/g))
      if (name! in counted) counted[name as keyof typeof counted] = Number(count)
    continue
  }
  const indent = line.length - line.trimStart().length
  const result = /^ *(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO|time=).*)?( \{)?$/.exec(line)
  if (result?.[1] === 'not ok') failing = indent
  else if (result && indent <= failing) failing = -1
  if (
    failing >= 0 ||
    indent === 0 ||
    (indent === 4 && result && !result[2]!.startsWith('should')) ||
    / # SKIP/.test(line)
  )
    console.log(line)
}
const [status] = tap.exitCode === null && tap.signalCode === null ? await once(tap, 'exit') : [tap.exitCode]
if (!closed) console.log('# tap ended without its totals')
const failed = closed ? counted.fail + (status !== 0 && counted.fail === 0 ? 1 : 0) : 1
console.log(`${counted.pass} passed, ${failed} failed, ${counted.skip + counted.todo} skipped`)
process.exitCode = failed > 0 || status !== 0 ? 1 : 0
