/**
 * `make bench`: measures everything and writes docs/BENCHMARKS.md. With parts named it only prints.
 *
 *     node test/bench/main.ts [part ...]
 *
 * `profile` runs only by its name; `profile=20000` is with so many sockets; `fleet=1000x1,5000x2` has so many hosts and collectors. `turns=DIRECTORY` compares with the built clone
 * of another state of the project.
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { benchPrograms } from './bpf_time.ts'
import { benchChurn } from './churn.ts'
import { benchCluster } from './cluster.ts'
import { benchCollector } from './collector.ts'
import { benchFleet } from './fleet.ts'
import { benchFlows } from './flows.ts'
import { benchFold } from './fold.ts'
import { benchIpfix } from './ipfix.ts'
import { benchKeys } from './keys.ts'
import { benchPage } from './page.ts'
import { benchProbeFold } from './probe_fold.ts'
import { benchProfile } from './profile.ts'
import { benchReport } from './report.ts'
import { benchRequests } from './request.ts'
import { benchSinkSpool } from './sink_spool.ts'
import { benchSpool } from './spool.ts'
import { benchTurns } from './turns/bench.ts'

/** Tables by their headings. */
type Tables = Readonly<Record<string, string[][]>>

async function turns(before?: string): Promise<Tables> {
  const { costs, hooks } = await benchTurns(40, before)
  return { 'What the kernel side adds, in turns': costs, 'By hook': hooks }
}

const PARTS: Readonly<Record<string, () => Promise<Tables>>> = {
  turns,
  churn: async () => ({ 'Connections at saturation': await benchChurn() }),
  requests: async () => ({ 'Request and response': await benchRequests() }),
  async report() {
    const { report, memory } = await benchReport()
    return { 'One report': report, 'Memory and start of the probe': memory }
  },
  fold: async () => ({ 'Fold of the collector': await benchFold() }),
  flows: async () => ({ 'Flow stage of the collector': await benchFlows() }),
  ipfix: async () => ({ 'IPFIX of the collector': await benchIpfix() }),
  cluster: async () => ({ 'Facts of a cluster': await benchCluster() }),
  probe_fold: async () => ({ 'Fold of the probe': await benchProbeFold() }),
  sink_spool: async () => ({ 'The spool of the collector': await benchSinkSpool() }),
  collector: async () => ({ 'A whole collector': await benchCollector() }),
  fleet,
  page: async () => ({ 'The page in a browser': await benchPage() }),
  keys: async () => ({ 'The link, encrypted and not': await benchKeys() }),
  spool: async () => ({ 'Spool of the probe': await benchSpool() }),
  programs: async () => ({ 'BPF programs': await benchPrograms() }),
}

async function fleet(fleets?: string): Promise<Tables> {
  return { 'A fleet by way of NATS': await benchFleet(fleets) }
}

async function profile(sockets?: number): Promise<Tables> {
  const { probe, collector } = await benchProfile(sockets)
  return { 'Profile of the probe': probe, 'Profile of the collector': collector }
}

function run(part: string): Promise<Tables> {
  const [, before] = /^turns=(.+)$/.exec(part) ?? []
  if (before !== undefined) return turns(before)
  const [, fleets] = /^fleet=(.+)$/.exec(part) ?? []
  if (fleets !== undefined) return fleet(fleets)
  const [, sockets] = /^profile(?:=(\d+))?$/.exec(part) ?? []
  return PARTS[part]?.() ?? profile(sockets === undefined ? undefined : Number(sockets))
}

const table = ([heading, lines]: [string, string[][]]): string => `## ${heading}

| what | measured |
|---|---|
${lines.map(([what, measured]) => `| ${what} | ${measured} |`).join('\n')}
`

// a spool of this machine's user is no place for a bench
process.env['SOCKFLUX_SPOOL'] = 'off'

const given = process.argv.slice(2)
const unknown = given.find(part => !(part in PARTS) && !/^(profile(=\d+)?|turns=.+|fleet=.+)$/.test(part))
if (unknown !== undefined) throw new Error(`${unknown} is none of ${Object.keys(PARTS).join(', ')}, profile`)

const memory = /MemTotal: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
const head = `# Benchmarks

Written by \`make bench\`. Figures of one run on one machine; ratios compare what ran in turns within it.

${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(Number(memory) / 2 ** 20)} GiB, Linux ${release()}, Node.js ${process.version}
`
const texts = [head]
process.stdout.write(head)
for (const part of given.length > 0 ? given : Object.keys(PARTS))
  for (const text of Object.entries(await run(part)).map(table)) {
    process.stdout.write(`\n${text}`)
    texts.push(text)
  }
if (given.length === 0) writeFileSync(join(import.meta.dirname, '../../docs/BENCHMARKS.md'), texts.join('\n'))
