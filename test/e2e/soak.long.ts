/** Hours of connections and of containers that come and go: memory does not grow, nothing is lost. */

import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { shortId } from '../../collector/fold/names.ts'
import { memoryOf } from '../bench/cpu.ts'
import { createNetns } from '../harness/netns.ts'
import { type Child, run, start } from '../harness/process.ts'
import { type Runc, startRunc } from '../harness/runc.ts'
import { needs } from '../harness/skip.ts'
import { openSite } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { windowNow } from '../harness/windows.ts'

const skip = needs('root', 'bpf', 'netns', 'gcc', 'runc')
/** For an hour: SOAK_MINUTES=60 make test-long TESTS=test/e2e/soak.long.ts */
const MINUTES = Number(process.env['SOAK_MINUTES'] ?? 5)
const CONNECTIONS_PER_SECOND = 2000
const timeout = (MINUTES + 10) * 60_000
t.setTimeout(timeout)

async function containerOf(runc: Runc, netns: string, words: readonly string[]) {
  const id = randomBytes(32).toString('hex')
  const cgroup = `/kubepods/besteffort/pod${randomUUID()}/${id}`
  return { id, command: await runc.container({ id, netns, words, cgroup, annotations: {} }) }
}

/** Resident megabytes, one for each second. */
class Memory {
  readonly #pid: number
  readonly #seen: number[] = []

  constructor({ pid }: Child) {
    this.#pid = pid
  }

  look(): void {
    this.#seen.push(memoryOf(this.#pid, 'VmRSS'))
  }

  get last(): number {
    return this.#seen.at(-1) ?? 0
  }

  /** Means of as many equal parts of the time. */
  means(parts: number): number[] {
    const length = Math.floor(this.#seen.length / parts)
    return Array.from({ length: parts }, (_, part) => {
      const seen = this.#seen.slice(part * length, (part + 1) * length)
      return seen.reduce((sum, value) => sum + value, 0) / length
    })
  }
}

const megabytes = (means: readonly number[]): string => `${means.map(mean => mean.toFixed(1)).join(', ')} MB`

/** A machine with other work may take longer for a query than a user waits. */
const unlessSlow = (error: Error): [] => {
  if (!error.message.includes('took more than')) throw error
  return []
}

t.test(`${MINUTES} minutes of connections and of containers`, { skip, timeout }, async t => {
  const runc = await startRunc()
  t.teardown(() => runc.close())
  const netns = await createNetns()
  t.teardown(() => netns.close())
  const service = await containerOf(runc, netns.path, ['server', '127.0.0.1', '8000', '--ports', '4'])
  const server = start(service.command)
  t.teardown(() => server.close())
  await server.line(/listening/)
  const site = await openSite()
  t.teardown(() => site.close())
  const collector = await site.collector()
  const probe = await site.probe(['--oci-state', runc.root])
  const first = windowNow() + 1
  await until('the first whole window', () => windowNow() >= first)

  const memories = { probe: new Memory(probe), collector: new Memory(collector) }
  const resident = await containerOf(runc, netns.path, ['client'])
  const load = start(resident.command)
  t.teardown(() => load.close())
  let [churned, containers] = [0, 0]
  const end = performance.now() + MINUTES * 60_000
  const often = async (work: () => Promise<unknown>) => {
    while (performance.now() < end) await Promise.all([work(), sleep(1000)])
  }
  let told = 0
  const tell = () => {
    const part = Math.floor(10 * (1 - (end - performance.now()) / (MINUTES * 60_000)))
    if (part === told) return
    told = part
    const memory = Object.entries(memories).map(([name, memory]) => `${name} ${megabytes([memory.last])}`)
    t.comment(`${part} of 10: ${churned} connections, ${containers} containers; ${memory.join(', ')}`)
  }
  await Promise.all([
    often(async () => {
      churned += (await load.ask<{ churned: number }>(`churn ${CONNECTIONS_PER_SECOND} 127.0.0.1 8000 4`))
        .churned
    }),
    often(async () => {
      const { command } = await containerOf(runc, netns.path, ['client', 'churn 1 127.0.0.1 8000 4', 'quit'])
      await run(command)
      containers++
    }),
    often(async () => {
      for (const memory of Object.values(memories)) memory.look()
      tell()
    }),
  ])
  const last = windowNow() + 1
  const perSecond = (churned / (MINUTES * 60)).toFixed()
  t.comment(`${churned} connections, ${perSecond} a second; ${containers} containers came and went`)
  for (const [name, memory] of Object.entries(memories)) {
    t.comment(`${name}: mean RSS of each tenth ${megabytes(memory.means(10))}`)
    const thirds = memory.means(3)
    const [, before = 0, after = 0] = thirds
    t.ok(after <= 1.1 * before, `${name}: mean RSS of each third ${megabytes(thirds)}`)
  }
  const opened = `select opened from "container:tcp" where container = '${shortId(resident.id)}'
    and role = 'client' and epoch(time) = ${last}`
  const rows = await until(`window ${last}`, async () => {
    const rows = await site.query(opened).catch(unlessSlow)
    return rows.length > 0 && rows
  })

  t.same(rows, [{ opened: churned }], 'every connection is counted')
  t.same(await site.losses(), {}, 'nothing was lost')
  const none = { windows: 0, rows: 0 }
  const { probes } = await site.ledger()
  t.same(
    probes.map(({ lost }) => lost),
    [{ missing: none, dropped: none }],
    'nor any window',
  )
})
