import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import stringWidth from 'string-width'
import t from 'tap'
import { serve } from '../../collector/serve/server.ts'
import type { TopHost } from '../../collector/serve/top.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { scratch } from '../harness/scratch.ts'
import { needs } from '../harness/skip.ts'

const SOCKFLUX = join(import.meta.dirname, '../../cli/sockflux.ts')
const rows = Array.from({ length: 40 }, (_, index) => ({
  id: `0123456789${index}`,
  name: `収集-${index}`,
  pod: 'a-namespace-with-a-name/and-its-deployment-7d9c5b6f4d-x2k4j',
  asClient: 100 - index,
  asServer: 0,
  rtt: 0.1,
  rttVariance: 0.1,
}))
const hosts: TopHost[] = [
  {
    host: 'node1',
    time: 1_700_000_000,
    partial: true,
    containers: rows,
    processes: rows,
    total: { containers: 40, processes: 40 },
  },
]

/** What the command draws first on a real terminal of that size. */
async function drawn(socket: string, lines: number, columns: number): Promise<string[]> {
  const command = `stty rows ${lines} cols ${columns}; exec '${process.execPath}' '${SOCKFLUX}' top --socket '${socket}'`
  const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], {
    env: { PATH: process.env['PATH'], SHELL: '/bin/sh' },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let text = ''
  for await (const chunk of child.stdout.setEncoding('utf8')) {
    text += chunk
    if (text.split('\x1b[H\x1b[J').length > 2) break // the second drawing has begun: the first is whole
  }
  child.stdin.write('\x03')
  child.stdout.resume()
  if (child.exitCode === null) await once(child, 'exit')
  return text.split('\x1b[H\x1b[J')[1]!.split('\r\n')
}

for (const [lines, columns] of [
  [24, 80],
  [50, 40],
  [12, 60],
  [0, 0],
] as const)
  t.test(
    `on a terminal of ${lines}x${columns} nothing scrolls or wraps`,
    { skip: needs('script') },
    async t => {
      const cleanup = new Cleanup()
      t.teardown(() => cleanup.close())
      const socket = join(await scratch(cleanup, 'top'), 's')
      const server = await serve(socket, { 'GET /top': async () => hosts })
      t.teardown(() => server.close())
      const shown = await drawn(socket, lines, columns)
      t.ok(shown.length <= (lines || 24), `${shown.length} lines with that of the cursor`)
      for (const line of shown) t.ok(stringWidth(line) <= (columns || 80), line)
      t.match(shown[0], /^node1/)
      t.match(shown.join('\n'), / 100 +0 /)
      t.match(shown.join('\n'), /PROCESS/)
    },
  )
