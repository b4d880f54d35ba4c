/**
 * `make bench`: a table on standard output and in docs/BENCHMARKS.md, with the machine that it was measured on.
 *
 *     node test/bench/main.ts [part ...]
 */

import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, release } from 'node:os'
import { join } from 'node:path'
import { benchPrograms } from './bpf_time.ts'
import { benchChurn } from './churn.ts'
import { benchCollector } from './collector.ts'
import { benchFold } from './fold.ts'
import { benchProbeFold } from './probe_fold.ts'
import { benchReport } from './report.ts'
import { benchRequests } from './request.ts'

const PARTS: Readonly<Record<string, () => Promise<string[][]>>> = {
  churn: benchChurn,
  requests: benchRequests,
  report: benchReport,
  programs: benchPrograms,
  fold: benchFold,
  probe_fold: benchProbeFold,
  collector: benchCollector,
}

const given = process.argv.slice(2)
const unknown = given.find(part => !(part in PARTS))
if (unknown !== undefined) throw new Error(`${unknown} is none of ${Object.keys(PARTS).join(', ')}`)
const parts = given.length > 0 ? given : Object.keys(PARTS)

const lines: string[][] = []
for (const part of parts) lines.push(...(await PARTS[part]!()))
const memory = /MemTotal: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(Number(memory) / 2 ** 20)} GiB, Linux ${release()}, Node.js ${process.version}`
const command = given.length > 0 ? `make bench PARTS="${given.join(' ')}"` : 'make bench'
const text = `# Benchmarks

Written by \`${command}\`. Figures of one run on one machine; ratios compare what ran in turns within it.

${machine}

| what | measured |
|---|---|
${lines.map(([what, measured]) => `| ${what} | ${measured} |`).join('\n')}
`
process.stdout.write(text)
writeFileSync(join(import.meta.dirname, '../../docs/BENCHMARKS.md'), text)
