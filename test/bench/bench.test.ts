/** `make bench` in small: that it runs and says what it should, never how fast. */

import { join } from 'node:path'
import t from 'tap'
import { needs } from '../harness/skip.ts'
import { benchPrograms } from './bpf_time.ts'
import { benchChurn } from './churn.ts'
import { benchCollector } from './collector.ts'
import { benchFold } from './fold.ts'
import { benchProbeFold } from './probe_fold.ts'
import { benchProfile } from './profile.ts'
import { benchReport } from './report.ts'
import { benchRequests } from './request.ts'
import { benchSinkSpool } from './sink_spool.ts'
import { benchSpool } from './spool.ts'
import { benchTurns } from './turns/bench.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss') }
const figures = (lines: readonly string[][]) => lines.map(([what, measured]) => `${what}: ${measured}`)

t.test('churn: every connection is seen', real, async t => {
  const lines = figures(await benchChurn(1, 500, []))
  t.match(lines[0], /^churn, no agent: [\d.]+ µs a connection, [\d,]+ a second$/)
  t.match(lines[1], /^churn, bare hooks.*: [\d.]+ µs a connection, [\d,]+ a second, /)
  t.match(lines[2], /^churn, sockflux probe: .*, 500 of 500 seen$/)
  t.match(lines[3], /^churn, sockflux less bare hooks: .* points$/)
})

t.test('requests over TCP and UDP', real, async t => {
  const lines = figures(await benchRequests(1, 2000))
  t.equal(lines.length, 8)
  for (const line of lines) t.match(line, /^(tcp|udp) request and response, .*: .* (a second|%|points)/)
})

t.test('the kernel side in turns with nothing, with empty hooks and with another clone', real, async t => {
  const { costs, hooks } = await benchTurns(3, join(import.meta.dirname, '../..'), ['connections', 'tcp'])
  const [alone, ...added] = figures(costs)
  t.match(alone, /^a connection, nothing attached: [\d.]+ µs$/)
  t.equal(costs.length, 2 * 8)
  for (const line of added.filter(line => !/nothing attached/.test(line)))
    t.match(line, /, .*: [+-][\d.]+ µs \(± [\d.]+\), [+-][\d.]+ %, [1-3] rounds$/)
  t.ok(
    figures(hooks).some(line =>
      /^a connection, tcp_flow_state: \d+\.\d\d runs, \d+ ns each, [\d.]+ µs$/.test(line),
    ),
  )
})

t.test('a report, a whole probe and its neighbour', real, async t => {
  const { report, memory } = await benchReport([200], 1, 500)
  const [pass, whole, folding, neighbour] = figures(report)
  t.match(pass, /^one report, 200 sockets, .*: \d+ rows, [\d.]+ ms CPU, [\d.]+ ms wall, .*; ss -tinp \d+ ms/)
  t.match(whole, /^whole probe, 200 sockets, .*: \d+ ms user and \d+ ms kernel CPU a window$/)
  t.match(folding, /^whole probe with `--fold`, 200 sockets, .* CPU a window$/)
  t.match(neighbour, /^neighbour's p99.9 delay, 200 sockets, medians of 1: [\d.]+ ms alone, /)
  const [resident, , started] = figures(memory)
  t.match(resident, /^whole probe, 200 sockets: \d+ MB resident, [1-9]\d* MB in BPF maps$/)
  t.match(started, /^start with 200 sockets: \d+ ms/)
})

t.test('what each program takes', real, async t => {
  const lines = figures(await benchPrograms(1500, 1500))
  for (const name of ['tcp_flow_state', 'socket_send', 'socket_recv', 'udp_send4'])
    t.ok(
      lines.some(line => line.startsWith(`${name}, `) && /: \d+ runs, \d+ ns each$/.test(line)),
      name,
    )
})

t.test('the folds', async t => {
  t.match(figures(await benchFold(50))[0], /million rows per CPU second/)
  t.ok((await benchProbeFold(5)).length > 0)
})

t.test('the spool', async t => {
  const lines = figures(await benchSpool(6, 1, 1))
  t.match(
    lines[0],
    /^windows of 20 kB: appended, one fsync each: [\d,]+ a second, \d+ MB\/s, [\d.]+ ms CPU each; a plain file/,
  )
  t.match(lines.at(-2), /: [\d.]+ ms without a spool, [\d.]+ ms with one$/)
  t.match(lines.at(-1), /: \d+ windows a second$/)
})

const FEW = { hosts: 3, containers: 3, rows: 50, windows: 2, metrics: 'flows' } as const
const ROWS =
  /^150 rows a window of 3 hosts .*: [\d,]+ rows per CPU second .*, 12 lines a window, .* MB at most$/

t.test('a whole collector writes every window of every host', async t => {
  const [line] = figures(await benchCollector([{ ...FEW, into: 'null' }]))
  t.match(line, ROWS)
})

t.test('and into InfluxDB', { skip: needs('influxd') }, async t => {
  const [line] = figures(await benchCollector([{ ...FEW, into: 'influxdb' }]))
  t.match(line, ROWS)
})

t.test('a profile of the probe and of the collector, or why there is none', real, async t => {
  const { probe, collector } = await benchProfile(200, 3, 2)
  for (const lines of [probe, collector]) t.match(figures(lines)[0], /: [\d.]+%$|^skipped: perf /)
})

t.test('the spool of the collector', { skip: needs('influxd') }, async t => {
  const [well, nowhere, influx] = figures(await benchSinkSpool(1, 60))
  t.match(well, /^a window of 200 samples .*: \d+ µs CPU without a spool, \d+ µs with one$/)
  for (const line of [nowhere, influx])
    t.match(
      line,
      /^60 windows of 200 samples, .*: [\d,]+ samples a second to disk \(\d+ bytes each\), [\d,]+ a second from disk/,
    )
})
