/** What Sockflux itself does, costs and loses. */

import { type Dashboard, events, last, level, mean, type Panel, type Query, rate } from './panel.ts'

const host = ['host']
const WHY = ['host', 'stage', 'reason']
const REMEDY = 'docs/METRICS.md says for each stage and reason what it means and what to do.'

const lostOf = (who: 'probe' | 'collector'): Panel => ({
  title: `Losses of the ${who}${who === 'probe' ? 's' : ''}`,
  means:
    'What was refused or dropped, by stage and reason: in InfluxDB the windows in which it happened, of a coarser retention policy the minutes or hours; in Prometheus how much it was.',
  bad: REMEDY,
  kind: 'bars',
  queries: [events(`${who}:lost`, 'count', { by: WHY, legend: '{{host}} {{stage}}/{{reason}}' })],
  width: 12,
})
const totals = (who: 'probe' | 'collector'): Query =>
  last(`${who}:lost`, 'count', { by: WHY, legend: `lost by ${who}` })

const losses: Panel[] = [
  {
    title: 'What came from the probes',
    means: 'Share of the windows of each probe, and of their rows, that reached the collector whole.',
    bad: 'Below 100 % the other figures of that host and time are too low: see the losses below, and whether the queue of the probe was full.',
    kind: 'lines',
    queries: [
      mean('probe:coverage', 'windows', { by: host, legend: '{{host}} windows' }),
      mean('probe:coverage', 'rows', { by: host, legend: '{{host}} rows' }),
    ],
    width: 24,
  },
  lostOf('probe'),
  lostOf('collector'),
  {
    title: 'Lost so far',
    means:
      'What was lost since the program started, of the stages and reasons that lost something in this range. The reasons of stage window are no losses: they say which windows are not as they should be.',
    bad: REMEDY,
    kind: 'table',
    queries: [totals('probe'), totals('collector')],
    width: 24,
  },
]

const cores = (measurement: 'user' | 'system'): Query =>
  rate('probe:stats', `cpu_${measurement}`, { by: host, legend: `{{host}} ${measurement}` })

const costs: Panel[] = [
  {
    title: 'CPU of the probes',
    means:
      'Time that each probe takes, in percent of one core; what its BPF programs take counts where they run.',
    bad: 'It grows with flows and their churn: docs/BENCHMARKS.md says how much is usual; --fold lets the probe add up.',
    kind: 'stacked',
    queries: [cores('user'), cores('system')],
    width: 12,
  },
  {
    title: 'Memory of the probes',
    means: 'Resident memory of each probe.',
    bad: 'A queue that grows fills it, up to --queue-size: see what waits.',
    kind: 'lines',
    queries: [level('probe:stats', 'memory', { by: host, legend: '{{host}}' })],
    width: 12,
  },
  {
    title: 'CPU of the collectors',
    means: 'Time that each collector takes, in percent of one core.',
    bad: 'Near 100 % it is the limit: spread the hosts over more collectors (docs/scale.md).',
    kind: 'lines',
    queries: [rate('collector:stats', 'cpu', { by: host, legend: '{{host}}' })],
    width: 12,
  },
  {
    title: 'Memory of the collectors',
    means: 'Resident memory of each collector.',
    bad: 'It grows with series and with samples that wait for a sink.',
    kind: 'lines',
    queries: [level('collector:stats', 'memory', { by: host, legend: '{{host}}' })],
    width: 12,
  },
]

const queues: Panel[] = [
  {
    title: 'Windows that wait in the probes',
    means: 'Windows of each probe that no collector has acknowledged.',
    bad: 'One or two are normal. More, and rising: the collector is away, or its database is.',
    kind: 'lines',
    queries: [level('probe:stats', 'queue_windows', { by: host, legend: '{{host}}' })],
    width: 8,
  },
  {
    title: 'Samples that wait in the collectors',
    means: 'Samples that wait for a sink to store them.',
    bad: 'Rising: the database is slow or away; beyond --waiting-samples the oldest are dropped.',
    kind: 'lines',
    queries: [level('collector:stats', 'queue', { by: host, legend: '{{host}}' })],
    width: 8,
  },
  {
    title: 'Series',
    means:
      'Series that each collector has in use, over all measurements; --max-series bounds each measurement.',
    bad: 'Where series/beyond_max_series is among the losses, a measurement is at its ceiling: raise --max-series.',
    kind: 'lines',
    queries: [level('collector:stats', 'series', { by: host, legend: '{{host}}' })],
    width: 8,
  },
]

const disks: Panel[] = [
  {
    title: 'On disk in the probes',
    means:
      'Bytes of the spool of each probe: windows that no collector has acknowledged and that a restart keeps.',
    bad: 'Rising: the collector is away, or its database is; beyond --spool-size the oldest windows are dropped.',
    kind: 'lines',
    queries: [level('probe:stats', 'spool', { by: host, legend: '{{host}}' })],
    width: 12,
  },
  {
    title: 'On disk in the collectors',
    means:
      'Bytes of the spool of each collector: samples that sinks have not stored and that a restart keeps.',
    bad: 'Rising: a sink is slow or away, see the log of the collector; beyond --spool-size the oldest samples are dropped.',
    kind: 'lines',
    queries: [level('collector:stats', 'spool', { by: host, legend: '{{host}}' })],
    width: 12,
  },
  {
    title: 'Oldest on disk in the probes',
    means: 'Age of the oldest window in the spool of each probe.',
    bad: 'Beyond --spool-age it is dropped: start the collector or its database before that.',
    kind: 'lines',
    queries: [mean('probe:stats', 'spool_age', { by: host, legend: '{{host}}' })],
    width: 12,
  },
  {
    title: 'Oldest on disk in the collectors',
    means: 'Age of the oldest samples in the spool of each collector.',
    bad: 'Beyond --spool-age they are dropped: mend the sink before that, its line in the log says what it needs.',
    kind: 'lines',
    queries: [mean('collector:stats', 'spool_age', { by: host, legend: '{{host}}' })],
    width: 12,
  },
]

const work: Panel[] = [
  {
    title: 'Rows sent by the probes',
    means: 'Rows that each probe sends per second.',
    bad: 'A host that falls to nothing is silent: see its log, and whether it reaches the collector.',
    kind: 'lines',
    queries: [rate('probe:stats', 'rows', { by: host, legend: '{{host}}' })],
    width: 8,
  },
  {
    title: 'Samples stored',
    means: 'Samples that the sinks of each collector stored per second.',
    bad: 'None while probes send: the sink does not store. The log of the collector says why.',
    kind: 'lines',
    queries: [rate('collector:stats', 'written', { by: host, legend: '{{host}}' })],
    width: 8,
  },
  {
    title: 'Probes',
    means: 'Probes that each collector knows.',
    bad: 'Fewer than hosts: see which one is missing in the rows sent.',
    kind: 'lines',
    queries: [level('collector:stats', 'probes', { by: host, legend: '{{host}}' })],
    width: 8,
  },
]

export const health: Dashboard = {
  name: 'health',
  title: 'Sockflux health',
  description: 'What probes and collectors lose, cost and have waiting.',
  variables: ['host'],
  rows: [
    { title: 'Losses', panels: losses },
    { title: 'Waiting', panels: queues },
    { title: 'Waiting on disk', panels: disks },
    { title: 'Work', panels: work },
    { title: 'Costs', panels: costs },
  ],
}
