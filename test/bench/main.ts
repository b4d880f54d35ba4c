/** `make bench`: a table on standard output and in docs/BENCHMARKS.md, with the machine that it was measured on. */

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

const lines = [
  ...(await benchChurn()),
  ...(await benchRequests()),
  ...(await benchReport()),
  ...(await benchPrograms()),
  ...(await benchFold()),
  ...(await benchProbeFold()),
  ...(await benchCollector()),
]
const memory = /MemTotal: +(\d+)/.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1]
const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(Number(memory) / 2 ** 20)} GiB, Linux ${release()}, Node.js ${process.version}`
const text = `# Benchmarks

Written by \`make bench\`. Figures of one run on one machine; ratios compare what ran in turns within it.

${machine}

| what | measured |
|---|---|
${lines.map(([what, measured]) => `| ${what} | ${measured} |`).join('\n')}
`
process.stdout.write(text)
writeFileSync(join(import.meta.dirname, '../../docs/BENCHMARKS.md'), text)
