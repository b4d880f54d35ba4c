/** `make bench` in small: that it runs and says what it should, never how fast. */

import t from 'tap'
import { needs } from '../harness/skip.ts'
import { benchPrograms } from './bpf_time.ts'
import { benchChurn } from './churn.ts'
import { benchCollector } from './collector.ts'
import { benchFold } from './fold.ts'
import { benchProbeFold } from './probe_fold.ts'
import { benchReport } from './report.ts'
import { benchRequests } from './request.ts'

const real = { skip: needs('root', 'bpf', 'netns', 'gcc', 'ss') }
const figures = (lines: readonly string[][]) => lines.map(([what, measured]) => `${what}: ${measured}`)

t.test('churn: every connection is seen', real, async t => {
  const lines = figures(await benchChurn(1, 500, name => !/bpftrace|conntrack/.test(name)))
  t.match(lines[0], /^churn, no agent: [\d.]+ µs a connection$/)
  t.match(lines[1], /^churn, bare hooks.*: [\d.]+ µs a connection, [+-][\d.]+ %$/)
  t.match(lines[2], /^churn, sockflux probe: .*, 500 of 500 seen$/)
})

t.test('requests over TCP and UDP', real, async t => {
  const lines = figures(await benchRequests(1, 2000))
  t.equal(lines.length, 6)
  for (const line of lines) t.match(line, /^(tcp|udp) request and response, .*: [\d.]+ µs/)
})

t.test('a report, a whole probe and its neighbour', real, async t => {
  const lines = figures(await benchReport([200], 1000))
  t.match(lines[0], /^probe without sockets: \d+ ms CPU a window, \d+ MB$/)
  t.match(
    lines[1],
    /^one report, \d{3} sockets, kernel and addon: [\d.]+ ms CPU, \d+ ns a socket; ss -tinp \d+ ms/,
  )
  t.match(lines[3], /^neighbour's p99.9 delay, \d{3} sockets: [\d.]+ ms alone, [\d.]+ ms beside$/)
})

t.test('what each program takes', real, async t => {
  const lines = figures(await benchPrograms(1500, 1500))
  for (const name of ['tcp_flow_state', 'tcp_accept4', 'tcp_rtt', 'udp_flow_egress'])
    t.ok(
      lines.some(line => line.startsWith(`${name}, `) && /: \d+ runs, \d+ ns each$/.test(line)),
      name,
    )
})

t.test('a whole collector, and the folds', async t => {
  const [line] = figures(
    await benchCollector([{ name: 'few', hosts: 2, containers: 3, rows: 50, windows: 2 }]),
  )
  t.match(line, /^collector, few: [\d.]+ million rows per CPU second .*, \d+ MB at most$/)
  t.match(figures(await benchFold())[0], /million rows per CPU second/)
  t.ok((await benchProbeFold()).length > 0)
})
