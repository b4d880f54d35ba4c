/** The table of alerts, for Grafana over either database and for Prometheus itself. */

import { events, increase, mean, type Query, rate, worst } from '../table/panel.ts'

export interface Alert {
  /** As Prometheus has it. */
  readonly name: string
  readonly title: string
  /**
   * What happened; `{{tag}}` stands for a tag's value, `{above}` and `{range}` for these numbers. What is in square
   * brackets is said only where its tags have values.
   */
  readonly summary: string
  /** What to do. */
  readonly remedy: string
  readonly severity: 'warning' | 'critical'
  readonly query: Query
  /** The query in percent of this one, where there is at least one per second of it. */
  readonly shareOf?: Query
  /** It fires above this number, in units of the samples or percent; a silent alert, when there is nothing. */
  readonly above: number | 'silent'
  /** Minutes that are looked at; a silent one was there within them. */
  readonly range: number
  /** Minutes that it has to be so. */
  readonly lasting: number
}

const by = ['host', 'namespace', 'pod', 'container_name', 'container']
const WHO = 'container {{container}}[ {{container_name}}][ of pod {{namespace}}/{{pod}}] on {{host}}'
const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)
const why = ['host', 'stage', 'reason']
const REMEDY = 'docs/METRICS.md says for each stage and reason what it means and what to do.'

/** Reasons that are no losses of flows, or that need nothing to be done. */
const HARMLESS = ['close_missed', 'cgroup_path_ring', 'process_ring', 'udp_header', 'unknown_cgroup']

const ALL: readonly Alert[] = [
  {
    name: 'SockfluxRttHigh',
    title: 'Round-trip time is high',
    summary: `The 95th percentile of the TCP round-trip times of ${WHO} is above {above} ms.`,
    remedy:
      'TCP health says whether as client or as server, and whether segments are lost. All containers of a host: look at the host.',
    severity: 'warning',
    query: worst('container:rtt_dist', 'p95', { by }),
    ...{ above: 200, range: 5, lasting: 5 },
  },
  {
    name: 'SockfluxRetransmits',
    title: 'Many segments are sent again',
    summary: `${capital(WHO)} sends more than {above} % of its packets again.`,
    remedy:
      'Packets are lost on the way, or the receiver is too slow: look at dropped packets in Interfaces and host, and at the peers.',
    severity: 'warning',
    query: rate('container:tcp', 'retransmits', { by }),
    shareOf: rate('container:traffic', 'packets_sent', { by }),
    ...{ above: 5, range: 5, lasting: 5 },
  },
  {
    name: 'SockfluxConnectsFail',
    title: 'Connects fail',
    summary: `More than {above} connections of ${WHO} failed in {range} minutes.`,
    remedy: 'Nobody listens, a firewall drops, or the server accepts too slowly: see the log of the client.',
    severity: 'warning',
    query: increase('container:tcp', 'failed', { by, only: { role: ['client'] } }),
    ...{ above: 10, range: 5, lasting: 0 },
  },
  {
    name: 'SockfluxProbeLost',
    title: 'A probe loses data',
    summary: 'The probe of {{host}} loses data: {{stage}}/{{reason}}.',
    remedy: REMEDY,
    severity: 'warning',
    query: events('probe:lost', 'count', {
      by: why,
      except: { stage: ['window', 'fold'], reason: HARMLESS },
    }),
    ...{ above: 0, range: 10, lasting: 0 },
  },
  {
    name: 'SockfluxCollectorLost',
    title: 'A collector loses data',
    summary: 'The collector on {{host}} loses data: {{stage}}/{{reason}}.',
    remedy: REMEDY,
    severity: 'warning',
    query: events('collector:lost', 'count', { by: why, except: { reason: ['beyond_max_series'] } }),
    ...{ above: 0, range: 10, lasting: 0 },
  },
  {
    name: 'SockfluxProbeSilent',
    title: 'A probe is silent',
    summary: 'The probe of {{host}} has sent nothing for some minutes, but did within the last day.',
    remedy:
      'See whether it runs and reaches the collector: its log, and `sockflux doctor` on that host. When every host is silent, see the collector and its database. For a host that was removed the alert ends after a day.',
    severity: 'critical',
    query: mean('probe:stats', 'memory', { by: ['host'] }),
    ...{ above: 'silent', range: 24 * 60, lasting: 3 },
  },
  {
    name: 'SockfluxSeriesCeiling',
    title: 'The ceiling of series is reached',
    summary: 'A measurement of the collector on {{host}} has more series than --max-series: {{reason}}.',
    remedy: 'New subjects are added up in ~other until it is raised: raise --max-series.',
    severity: 'warning',
    query: events('collector:lost', 'count', {
      by: why,
      only: { stage: ['series'], reason: ['beyond_max_series'] },
    }),
    ...{ above: 0, range: 10, lasting: 0 },
  },
]

/** By name, the limits that somebody may want elsewhere. */
export type Limits = Readonly<Record<string, number>>
/** @throws if there is no such limit */
export function limitOf(name: string): number {
  const above = ALL.find(alert => alert.name === name)?.above
  if (typeof above !== 'number') throw new Error(`${name} has no limit: correct the name of the alert`)
  return above
}

export interface AlertOptions {
  readonly limits?: Limits
  /** Of the probes' windows, or of Prometheus' scrapes; seconds. */
  readonly interval?: number
}

/** Windows that a rate, a mean or a total is taken of, at the least. */
const WINDOWS = 3

/** The table for other limits, and for windows that are longer than a minute. */
export function alertsFor({ limits = {}, interval = 0 }: AlertOptions = {}): Alert[] {
  return ALL.map(alert => {
    const above = alert.above === 'silent' ? alert.above : (limits[alert.name] ?? alert.above)
    const range = Math.max(alert.range, Math.ceil((WINDOWS * interval) / 60))
    const summary = alert.summary.replace('{above}', String(above)).replace('{range}', String(range))
    return { ...alert, above, range, summary }
  })
}
