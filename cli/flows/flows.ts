/** `sockflux flows`: who talks to whom, now or recorded. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import { END_FILTERS } from '../../collector/flows/filter.ts'
import { type Answer, questionOf as parsed } from '../../collector/flows/live.ts'
import { collectorSettings } from '../../collector/options.ts'
import { escaped } from '../../wire/json_text.ts'
import { readSettings } from '../../wire/settings/read.ts'
import { addFlags } from '../../wire/settings/settings.ts'
import { ask, print } from '../client.ts'
import { printable } from '../printable.ts'
import { flowsTable, type Row, rowOf } from './columns.ts'
import { Follow } from './follow.ts'
import { Busy, recorded } from './recorded.ts'
import type { Recorded } from './sql.ts'

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
    .option('--peer <address>', 'address of the other end, or unknown: no probe watches it')
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
      const text = flags['json']
        ? rows.map(row => `${escaped(JSON.stringify(row))}\n`).join('')
        : flowsTable(rows)
      return text === '' || print(process.stdout, isFirst || flags['json'] ? text : withoutHeader(text))
    }
    const told = new Set<string>()
    const tell = async (notes: readonly string[]) => {
      for (const note of notes.filter(note => !told.has(note)))
        await print(process.stderr, `${printable(note)}\n`)
      for (const note of notes) told.add(note)
    }
    if (flags['live']) await show(await live(socket, flags))
    else if (flags['follow']) await follow(socket, flags, show, tell)
    else {
      const { rows, notes } = await recorded(socket, questionOf(flags))
      await show(rows.toReversed())
      await tell(notes)
    }
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

function questionOf(flags: Flags): Recorded {
  const { filter, limit } = parsed(new URL(`http://x/flows?${parametersOf(flags)}`))
  const [since, until] = [timeOf(flags['since'], 'since'), timeOf(flags['until'], 'until')]
  return { filter, limit, ...(since !== undefined && { since }), ...(until !== undefined && { until }) }
}

async function follow(
  socket: string,
  flags: Flags,
  show: (rows: readonly Row[], isFirst: boolean) => Promise<boolean>,
  tell: (notes: readonly string[]) => Promise<void>,
): Promise<void> {
  const question = questionOf({ ...flags, limit: String(MAX_FOLLOWED) })
  const news = new Follow(question.since ?? Date.now() / 1000)
  for (let isFirst = true; ; await sleep(FOLLOW_MS)) {
    const now = Date.now() / 1000
    const found = await recorded(socket, { ...question, ...news.range(now) }).catch((error: Error) => {
      if (error instanceof Busy) return undefined
      throw error
    })
    if (!found) continue
    const fresh = news.take(found.rows, now)
    await tell(found.notes)
    if ((isFirst || fresh.length > 0) && !(await show(fresh, isFirst))) return
    isFirst = false
  }
}

const SPANS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** @throws when it is none */
function timeOf(given: Flags[string], name: string): number | undefined {
  if (given === undefined) return undefined
  const [, count, unit = ''] = /^(\d{1,9})([smhd])$/.exec(String(given)) ?? []
  const seconds =
    count === undefined ? Date.parse(String(given)) / 1000 : Date.now() / 1000 - Number(count) * SPANS[unit]!
  if (Number.isFinite(seconds)) return Math.max(0, Math.floor(seconds))
  throw new Error(
    `--${name} ${given} is no time: write 15m, 2h or 1d for so long ago, or 2026-01-02T03:04:05Z`,
  )
}
