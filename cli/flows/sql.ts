/** Questions about recorded conversations, as SQL for the table `flows`. */

import { END_FILTERS, type EndKind, type Filter, ON_HOST } from '../../collector/flows/filter.ts'

export interface Recorded {
  readonly filter: Filter
  /** Seconds since the epoch. */
  readonly since?: number
  readonly until?: number
  /** Those whose probe is gone, since then: they bear the time of its last window. */
  readonly gone?: number
  readonly limit: number
}

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`
const either = (...conditions: string[]): string => `(${conditions.join(' or ')})`

/** What an end is called: the columns of the client or of the server, and other ways to write a name. */
function isCalled(side: Side, kind: EndKind, name: string): string {
  const column = (name: string) => `${side}_${name}`
  const is = (name: string, text: string) => `${column(name)} = ${literal(text)}`
  const also: Readonly<Record<EndKind, readonly string[]>> = {
    pod: [is('pod', name), `${column('namespace')} || '/' || ${column('pod')} = ${literal(name)}`],
    namespace: [is('namespace', name)],
    process: [is('process', name), ...(/^\d+$/.test(name) ? [`${column('pid')} = ${name}`] : [])],
    container: [
      ...(name === ON_HOST ? [`(${column('container')} is null and ${column('host')} is not null)`] : []),
      is('container_name', name),
      is('container', name.slice(0, 12)),
    ],
    host: [is('host', name)],
  }
  return either(...also[kind])
}

type Side = 'client' | 'server'
const ADDRESSES: Readonly<Record<Side, readonly string[]>> = {
  client: ['source_ip', 'seen_ip'],
  server: ['asked_ip', 'answered_ip'],
}

function endsAre(near: Side, far: Side, { end, with: other, peer }: Filter): string {
  const conditions = [
    ...END_FILTERS.flatMap(kind => (end[kind] === undefined ? [] : [isCalled(near, kind, end[kind])])),
    ...(other ? [isCalled(far, ...other)] : []),
    ...(peer === 'unknown' ? [`${far}_host is null`] : []),
    ...(peer !== undefined && peer !== 'unknown'
      ? [either(...ADDRESSES[far].map(column => `${column} = ${literal(peer)}`))]
      : []),
  ]
  return conditions.length > 0 ? conditions.join(' and ') : 'true'
}

const STATE: Readonly<Record<string, string>> = { OPEN: "reason = 'active'" }

const isSince = (seconds: number): string => `time >= to_timestamp(${seconds})::timestamp`
const isGone = (seconds: number): string => `(reason = 'gone' and ${isSince(seconds)})`

/**
 * The last record of each conversation, if it is meant, the newest first: what an earlier one said of its state and ends is no
 * longer true. Which one is the last is looked up in few columns; a record that says that it goes on comes before one of the
 * same time that says that it has ended.
 */
export function recordedSql({ filter, since, until, gone, limit }: Recorded): string {
  const { port, protocol, state } = filter
  const conditions = [
    either(`(${endsAre('client', 'server', filter)})`, `(${endsAre('server', 'client', filter)})`),
    ...(port === undefined ? [] : [either(`asked_port = ${port}`, `answered_port = ${port}`)]),
    ...(protocol === undefined ? [] : [`protocol = ${literal(protocol)}`]),
    ...(state === undefined ? [] : [STATE[state.toUpperCase()] ?? `state = ${literal(state.toUpperCase())}`]),
  ]
  const times = [
    ...(since === undefined ? [] : [either(isSince(since), ...(gone === undefined ? [] : [isGone(gone)]))]),
    ...(until === undefined ? [] : [`time <= to_timestamp(${until})::timestamp`]),
  ]
  const within = times.length > 0 ? `where ${times.join(' and ')}` : ''
  return `select * from flows semi join (
      select id, max(time) as time, arg_max(reason, {second: time, done: reason <> 'active'}) as reason
      from flows ${within} group by id
    ) using (id, time, reason)
    where ${conditions.join(' and ')} order by time desc, opened desc limit ${limit}`
}
