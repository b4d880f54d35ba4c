/** Variables in queries, replaced as Grafana and Chronograf do before they ask. */

/** The values of a variable; undefined stands for All, whose value is `.*`. */
export type Chosen = Readonly<Record<string, readonly string[] | undefined>>

export interface Range {
  /** Seconds since the epoch. */
  readonly from: number
  readonly to: number
  /** Seconds. */
  readonly interval: number
}

/** As `lodash.escapeRegExp`, and the slash. */
const escaped = (text: string): string => text.replace(/[\\^$*+?.()|[\]{}/]/g, '\\$&')

function regex(values: readonly string[] | undefined): string {
  if (!values) return '.*'
  return values.length === 1 ? escaped(values[0]!) : `(${values.map(escaped).join('|')})`
}

/** @throws if a variable is left that nobody gave a value */
export function influxqlWith(query: string, chosen: Chosen, { from, to, interval }: Range): string {
  const text = query
    .replaceAll(
      '$timeFilter',
      () => `time >= ${Math.round(from * 1000)}ms and time <= ${Math.round(to * 1000)}ms`,
    )
    .replaceAll('$__interval', () => `${interval}s`)
    .replaceAll(/\$\{(\w+):regex\}/g, (_, name: string) => regex(chosen[name]))
    .replaceAll('$rp', () => chosen['rp']?.[0] ?? 'autogen')
  if (/\$[\w{]/.test(text)) throw new Error(`a variable without a value: ${text}`)
  return text
}

const doubled = (text: string): string => text.replaceAll('\\', '\\\\')

/** Grafana doubles the backslashes, because the regular expression is in quotes. */
export function promqlWith(query: string, chosen: Chosen, { from, to, interval }: Range): string {
  const values: Record<string, string> = {
    __rate_interval: `${4 * interval}s`,
    __interval: `${interval}s`,
    __range: `${Math.round(to - from)}s`,
  }
  const text = query.replaceAll(/\$(\w+)/g, (all, name: string) =>
    name in values
      ? values[name]!
      : /^(host|namespace|pod|container)$/.test(name)
        ? doubled(regex(chosen[name]))
        : all,
  )
  if (/\$[\w{]/.test(text)) throw new Error(`a variable without a value: ${text}`)
  return text
}

/** Templates of Chronograf. @throws if one is left */
export function chronografWith(query: string, { from, to, interval }: Range): string {
  const values: Record<string, string> = {
    ':dashboardTime:': `'${new Date(from * 1000).toISOString()}'`,
    ':upperDashboardTime:': `'${new Date(to * 1000).toISOString()}'`,
    ':interval:': `${interval * 1000}ms`,
    ':db:': 'sockflux',
    ':rp:': 'autogen',
    ...Object.fromEntries(['host', 'namespace', 'pod', 'container'].map(name => [`:${name}:`, '.*'])),
  }
  const text = query.replaceAll(
    /:(dashboardTime|upperDashboardTime|interval|db|rp|host|namespace|pod|container):/g,
    all => values[all]!,
  )
  const left = /(?<!\w):[a-zA-Z]+:/.exec(text)
  if (left) throw new Error(`${left[0]} has no value: ${text}`)
  return text
}
