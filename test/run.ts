/**
 * The tests, through tap; a line per test, the whole report of what fails, which were skipped and why, and last
 * `N passed, N failed, N skipped`.
 *
 *     node test/run.ts [--long] [file or folder ...]
 *
 * `--long` runs the series, soaks and long fuzzing (`*.long.ts`) instead, with the figures that they report.
 */

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, readFileSync, statSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** These share the machine's kernel and runtimes, and count in windows of a second: one after the other. */
const ALONE = /^(\.\/)?test\/(kernel|e2e|native|harness|bench|deploy)\//
const NEEDS = /\bneeds\([^)]*'(bpf|netns|containerd|docker|podman|runc)'/

const given = process.argv.slice(2)
const long = given[0] === '--long'
if (long) given.shift()
const files = (given.length > 0 ? given : ['test']).flatMap(testsIn)

function testsIn(path: string): string[] {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found) {
    console.error(`${path}: there is no such test or folder of tests`)
    process.exit(2)
  }
  if (!found.isDirectory()) return [path]
  return globSync(`**/*.${long ? 'long' : 'test'}.ts`, { cwd: path })
    .sort()
    .map(file => join(path, file))
}

/** The counts that tap closes its report with: `# { total: 3, pass: 2, skip: 1 }`. */
const counted = { pass: 0, fail: 0, skip: 0, todo: 0 }
const skipped: string[] = []

async function run(files: readonly string[], jobs: number): Promise<void> {
  if (files.length === 0) return
  const options = [
    `--jobs=${jobs}`,
    '--reporter=tap',
    '--disable-coverage',
    ...(long ? ['--timeout=3600'] : []),
  ]
  const tap = spawn(process.execPath, ['node_modules/tap/dist/esm/run.mjs', 'run', ...options, ...files], {
    stdio: ['ignore', 'pipe', 'inherit'],
    // a spool of this machine's user is no place for a test
    env: { ...process.env, SOCKFLUX_SPOOL: 'off' },
  })
  const before = counted.fail
  let closed = false
  /** Indented deeper than a test's own line: shown only below one that failed. */
  let failing = -1
  for await (const line of createInterface({ input: tap.stdout })) {
    const totals = /^# (\{ total: .* \})$/.exec(line)
    if (totals) {
      closed = true
      for (const [, name, count] of totals[1]!.matchAll(/(\w+): (\d+)/g))
        if (name! in counted) counted[name as keyof typeof counted] += Number(count)
      continue
    }
    const indent = line.length - line.trimStart().length
    const result = /^ *(not ok|ok) \d+ - (.*?)(?: # (SKIP|TODO|time=).*)?( \{)?$/.exec(line)
    if (result?.[1] === 'not ok') failing = indent
    else if (result && indent <= failing) failing = -1
    const isFigure = long && indent > 0 && /^ *# (?!Subtest: |time=|timeout=)/.test(line)
    const skip = /^ *ok \d+ - (.*?) # SKIP ?(.*)$/.exec(line)
    if (skip) skipped.push(`${skip[1]}: ${skip[2] || 'no reason given'}`)
    if (
      failing >= 0 ||
      isFigure ||
      indent === 0 ||
      (indent === 4 && result && !result[2]!.startsWith('should')) ||
      / # SKIP/.test(line)
    )
      console.log(line)
  }
  const [status] = tap.exitCode === null && tap.signalCode === null ? await once(tap, 'exit') : [tap.exitCode]
  if (!closed) console.log('# tap ended without its totals')
  if ((status !== 0 || !closed) && counted.fail === before) counted.fail++
}

const alone = (file: string) => long || ALONE.test(file) || NEEDS.test(readFileSync(file, 'utf8'))
await run(
  files.filter(file => !alone(file)),
  Math.min(availableParallelism(), 4),
)
await run(files.filter(alone), 1)
if (skipped.length > 0) console.log(`skipped:\n${skipped.map(test => `  ${test}`).join('\n')}`)
console.log(`${counted.pass} passed, ${counted.fail} failed, ${counted.skip + counted.todo} skipped`)
process.exitCode = counted.fail > 0 ? 1 : 0
