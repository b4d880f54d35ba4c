/** Recorded conversations, from the embedded store of the running collector. */

import type { Answer } from '../../collector/sinks/embedded/query/answer.ts'
import { ask } from '../client.ts'
import type { Row } from './columns.ts'
import { type Recorded, recordedSql } from './sql.ts'

/** Too many queries at this moment. */
export class Busy extends Error {}

const START = 'start the collector with --flows, and wait for one to end'

export interface Found {
  /** The newest first. */
  readonly rows: readonly Row[]
  /** What is missing among them. */
  readonly notes: readonly string[]
}

/**
 * @throws with one sentence: no collector answers, it has no such store, or has never recorded one
 * @throws {Busy} when it is to be asked again
 */
export async function recorded(socket: string, question: Recorded): Promise<Found> {
  const sql = recordedSql(question)
  const days = daysOf(question)
  const { status, body } = await ask(socket, 'POST', '/query', { sql, ...days })
  const { columns, rows, notes = [], truncated, error = '' } = JSON.parse(body) as Answer & { error?: string }
  if (status === 503) throw new Busy(error)
  if (status !== 200 && /flows/.test(error) && /not exist/.test(error)) {
    if (Object.keys(days).length === 0) throw new Error(`no conversation has been recorded yet: ${START}`)
    return { rows: [], notes: [`no conversation was recorded on those days: ${START}`] }
  }
  if (status !== 200) throw new Error(error || `the collector answered ${status}`)
  const cut = `only the last ${rows.length} conversations are shown: choose fewer, or raise --limit`
  return {
    rows: rows.map(row =>
      Object.fromEntries(
        columns.flatMap(({ name }, at) => (row[at] === null ? [] : [[name, row[at] as string | number]])),
      ),
    ),
    notes: truncated || rows.length === question.limit ? [...notes, cut] : notes,
  }
}

/** Files of other days are not opened. No record is a day ahead. */
function daysOf({ since, until, gone }: Recorded): { from?: string; to?: string } {
  const ahead = Date.now() / 1000 + 86_400
  const day = (seconds: number) => new Date(Math.min(seconds, ahead) * 1000).toISOString().slice(0, 10)
  return {
    ...(since !== undefined && { from: day(Math.min(since, gone ?? since)) }),
    ...(until !== undefined && { to: day(until) }),
  }
}
