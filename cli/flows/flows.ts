/** `sockflux flows`: who talks to whom, now or recorded. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { END_FILTERS } from '../../collector/flows/filter.ts'
import { type Answer, questionOf } from '../../collector/flows/live.ts'
import { collectorSettings } from '../../collector/options.ts'
import type { Answer as Rows } from '../../collector/sinks/embedded/query/answer.ts'
import { readSettings } from '../../wire/settings/read.ts'
import { addFlags } from '../../wire/settings/settings.ts'
import { ask, print } from '../client.ts'
import { flowsTable, type Row, rowOf } from './columns.ts'
import { recordedSql } from './sql.ts'

const { socket } = collectorSettings
const FILTERS = [...END_FILTERS, 'with', 'peer', 'port', 'protocol', 'state', 'limit'] as const
const FOLLOW_MS = 2000
const MAX_FOLLOWED = 10_000

type Flags = Readonly<Record<string, string | boolean | undefined>>

export function addFlows(program: Command): void {
  const command = program
    .command('flows')
    .description(
      'who talks to whom: recorded conversations of the embedded store, or with --live those of now',
    )
    .option('--pod <name>', 'of an end: name, or namespace/name')
    .option('--namespace <name>', 'of an end')
    .option('--process <name>', 'of an end: name or pid')
    .option('--container <name>', 'of an end: name or id')
    .option('--host <name>', 'of an end')
    .option(
      '--with <kind/name>',
      'the other end, in either direction: pod/web-0, process/nginx, container/…, host/…',
    )
    .option('--peer <address>', 'address of the other end, or unknown: nobody watches it')
    .option('--port <number>', 'of the server, asked or answered')
    .option('--protocol <name>', 'tcp or udp')
    .option('--state <name>', 'ESTABLISHED, …, or open')
    .option('--since <time>', 'recorded since: 15m, 2h, 1d ago, or RFC 3339')
    .option('--until <time>', 'recorded until')
    .option('--limit <number>', 'conversations at most, from 1 to 10000', '200')
    .option('--live', 'conversations of now instead of recorded ones')
    .option('--follow', 'go on with new records as they come')
    .option('--json', 'print JSON: an object a line')
  addFlags(command, 'collector', { socket })
  command.action(async (flags: Flags) => {
    const { socket } = readSettings(collectorSettings, 'collector', flags, process.env)
    const show = async (rows: readonly Row[], isFirst = true) => {
      const text = flags['json'] ? rows.map(row => `${JSON.stringify(row)}\n`).join('') : flowsTable(rows)
      return text === '' || print(process.stdout, isFirst || flags['json'] ? text : withoutHeader(text))
    }
    if (flags['live']) await show(await live(socket, flags))
    else if (flags['follow']) await follow(socket, flags, show)
    else await show((await recorded(socket, flags)).toReversed())
  })
}

const withoutHeader = (table: string): string => table.split('\n').slice(2).join('\n')

/** As parameters of `GET /flows`, which says what is wrong with them. */
const parametersOf = (flags: Flags): URLSearchParams =>
  new URLSearchParams(
    FILTERS.flatMap(name =>
      flags[name] === undefined ? [] : [[name, String(flags[name])] as [string, string]],
    ),
  )

async function live(socket: string, flags: Flags): Promise<Row[]> {
  const { status, body } = await ask(socket, 'GET', `/flows?${parametersOf(flags)}`)
  const answer = JSON.parse(body) as Answer & { error?: string }
  if (status !== 200) throw new Error(answer.error ?? `the collector answered ${status}`)
  return answer.flows.map(rowOf)
}

async function recorded(
  socket: string,
  flags: Flags,
  since = timeOf(flags['since'], 'since'),
): Promise<Row[]> {
  const { filter, limit } = questionOf(new URL(`http://x/flows?${parametersOf(flags)}`))
  const until = timeOf(flags['until'], 'until')
  const sql = recordedSql({
    ...{ filter, limit },
    ...(since !== undefined && { since }),
    ...(until !== undefined && { until }),
  })
  const { status, body } = await ask(socket, 'POST', '/query', { sql })
  const { columns, rows, error } = JSON.parse(body) as Rows & { error?: string }
  if (status !== 200) {
    if (/flows/.test(error ?? '') && /not exist/.test(error ?? ''))
      throw new Error(
        'no conversation has been recorded yet: start the collector with --flows, and wait for one to end',
      )
    throw new Error(error ?? `the collector answered ${status}`)
  }
  return rows.map(row =>
    Object.fromEntries(
      columns.flatMap(({ name }, at) => (row[at] === null ? [] : [[name, row[at] as string | number]])),
    ),
  )
}

async function follow(
  socket: string,
  flags: Flags,
  show: (rows: readonly Row[], isFirst: boolean) => Promise<boolean>,
): Promise<void> {
  const shown = new Set<string>()
  let since = timeOf(flags['since'], 'since') ?? Date.now() / 1000
  for (let isFirst = true; ; isFirst = false) {
    const rows = await recorded(socket, { ...flags, limit: String(MAX_FOLLOWED) }, since)
    const fresh = rows.filter(({ id, time }) => !shown.has(`${id} ${time}`)).toReversed()
    if ((isFirst || fresh.length > 0) && !(await show(fresh, isFirst))) return
    for (const { id, time } of fresh) shown.add(`${id} ${time}`)
    const last = Math.max(since, ...fresh.map(({ time }) => Date.parse(String(time)) / 1000))
    if (last > since)
      for (const key of shown) if (Date.parse(key.split(' ').at(-1)!) / 1000 < last - 120) shown.delete(key)
    since = Math.max(since, last - 60) // windows of several hosts come one after the other
    await sleep(FOLLOW_MS)
  }
}

const SPANS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** @throws when it is none */
function timeOf(given: Flags[string], name: string): number | undefined {
  if (given === undefined) return undefined
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(String(given)) ?? []
  const seconds =
    count === undefined ? Date.parse(String(given)) / 1000 : Date.now() / 1000 - Number(count) * SPANS[unit]!
  if (Number.isFinite(seconds)) return Math.floor(seconds)
  throw new Error(
    `--${name} ${given} is no time: write 15m, 2h or 1d for so long ago, or 2026-01-02T03:04:05Z`,
  )
}
