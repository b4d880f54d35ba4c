/** The process of one query: a question on the standard input, its answer on the standard output. */

import { writeFileSync } from 'node:fs'
import { json } from 'node:stream/consumers'
import { Problem } from '../../../routes.ts'
import { answer } from './answer.ts'
import { ANSWERED, type Question, REFUSED } from './child.ts'
import { openSegments } from './open.ts'

/** If the collector is killed, this process ends itself after the time-out and this delay. */
const ORPHANED_MS = 2000
/** The OOM killer ends a query before anything else. */
const FIRST_TO_GO = '1000'

const { files, sql, timeoutMs, ...bounds } = (await json(process.stdin)) as Question
setTimeout(() => process.exit(), timeoutMs + ORPHANED_MS).unref()
try {
  writeFileSync('/proc/self/oom_score_adj', FIRST_TO_GO)
} catch {
  // /proc is read-only
}
const [code, text] = await openSegments(files, sql)
  .then(opened => answer(opened, sql, bounds))
  .then(
    result => [ANSWERED, JSON.stringify(result)] as const,
    (error: Error) => {
      const status = error instanceof Problem ? error.status : 500
      return [REFUSED, JSON.stringify({ status, error: error.message })] as const
    },
  )
// DuckDB's threads and files end with this process
process.stdout.write(text, () => process.exit(code))
