/**
 * A fleet by way of a NATS server: hosts that exist only as windows, published as fast as server and collectors take them, so slower
 * or faster than real time. CPU counts for a window, which a host has every ten seconds.
 */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { ask } from '../../cli/client.ts'
import { Publishing } from '../../probe/publish/link/nats/publishing.ts'
import { encodeWindow } from '../../wire/message.ts'
import { tokenOf } from '../../wire/nats/names.ts'
import { pack } from '../../wire/nats/window.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { natsClient, setUp, startNats } from '../harness/nats.ts'
import { type Child, start } from '../harness/process.ts'
import { scratch } from '../harness/scratch.ts'
import { logged, type Stats } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { cpuOf, memoryOf, since } from './cpu.ts'
import { nullDatabase } from './databases.ts'
import { sockflux } from './probe.ts'
import { endOf, foldedRows, headOf, INTERVAL, inMessages, whoOf } from './simulated.ts'

const FLEETS = '1000x1,5000x2,10000x4'
const WINDOWS = 2
const [ROWS, CONTAINERS] = [200, 10]
const PARTITIONS = 64
/** Publishers at once: each waits for its answer. */
const AT_ONCE = 64
const PATIENCE_MS = 300_000

interface Fleet {
  readonly hosts: number
  readonly collectors: number
}

function fleetOf(text: string): Fleet {
  const [, hosts, collectors] = /^(\d+)x(\d+)$/.exec(text) ?? []
  if (hosts === undefined) throw new Error(`${text} is no fleet: give HOSTSxCOLLECTORS, for example 1000x1`)
  return { hosts: Number(hosts), collectors: Number(collectors) }
}

/** @param fleets hosts and collectors of each */
export async function benchFleet(fleets = FLEETS): Promise<string[][]> {
  const table: string[][] = []
  for (const fleet of fleets.split(',').map(fleetOf)) table.push(...(await measure(fleet)))
  return table
}

async function measure({ hosts, collectors }: Fleet): Promise<string[][]> {
  const cleanup = new Cleanup()
  try {
    const server = await startNats(cleanup, { partitions: PARTITIONS })
    const client = await natsClient(cleanup, server.url)
    await setUp(client, { partitions: PARTITIONS, lease: 10, maxBytes: 900 * 2 ** 20 })
    const database = await nullDatabase()
    cleanup.defer(() => database.close())
    const sites = await Promise.all(
      Array.from({ length: collectors }, () => startOne(cleanup, server.url, database.url)),
    )
    const streams = async () =>
      (await Promise.all(sites.map(({ stats }) => stats()))).map(({ streams }) => streams[0]!)
    const held = async () => (await streams()).map(({ partitions }) => partitions)
    const isShared = async () =>
      (await held()).reduce((sum, one) => sum + one, 0) === PARTITIONS && !(await held()).includes(0)
    await until('each partition has its collector', isShared, PATIENCE_MS)
    await sleep(5000) // those that move are moved

    const pids = sites.map(({ child }) => child.pid)
    const before = { server: cpuOf(server.pid), collectors: pids.map(cpuOf), at: performance.now() }
    const bytes = await publish(client, server.url, hosts)
    const publishedMs = performance.now() - before.at
    const all = hosts * WINDOWS
    const isStored = async () => {
      const now = await streams()
      return (
        now.reduce((sum, { messages }) => sum + messages, 0) >= all &&
        now.every(({ waiting }) => waiting === 0)
      )
    }
    await until('all are stored', isStored, PATIENCE_MS)
    const ms = performance.now() - before.at
    const own = since(before.server, cpuOf(server.pid))
    const theirs = pids.map((pid, at) => since(before.collectors[at]!, cpuOf(pid)))
    const perWindow = (seconds: number) => `${((seconds / all) * 1000).toFixed(2)} ms`
    const collected = theirs.reduce((sum, { user, kernel }) => sum + user + kernel, 0)
    const cores = ((collected / all) * hosts) / INTERVAL
    const most = Math.max(...pids.map(pid => memoryOf(pid, 'VmHWM')))
    const what = `${hosts} hosts, ${collectors} ${collectors === 1 ? 'collector' : 'collectors'}`
    return [
      [`${what}: a window, ${CONTAINERS} containers`, `${(bytes / all / 1000).toFixed(1)} kB`],
      [`${what}: CPU of the server for a window`, perWindow(own.user + own.kernel)],
      [`${what}: CPU of the collectors for a window`, perWindow(collected)],
      [`${what}: cores of all collectors at a window every ${INTERVAL} s`, cores.toFixed(2)],
      [
        `${what}: published and stored here`,
        `${Math.round(all / (publishedMs / 1000))} and ${Math.round(all / (ms / 1000))} windows a second`,
      ],
      [`${what}: memory of the largest collector`, `${Math.round(most)} MiB`],
    ]
  } finally {
    await cleanup.close()
  }
}

interface StreamStats extends Stats {
  readonly streams: readonly {
    readonly partitions: number
    readonly messages: number
    readonly waiting: number
  }[]
}

async function startOne(
  cleanup: Cleanup,
  endpoint: string,
  url: string,
): Promise<{ readonly child: Child; stats(): Promise<StreamStats> }> {
  const directory = await scratch(cleanup, 'bench')
  const socket = join(directory, 'collector.sock')
  const where = ['--listen', endpoint, '--socket', socket, '--spool', 'off', '--influx-url', url]
  const room = ['--max-series', '10000000', '--waiting-samples', '2000000', '--no-influx-gzip']
  const child = start([...sockflux([]), 'collector', ...where, ...room])
  cleanup.defer(() => child.close())
  await logged(child, /"msg":"started"/)
  return { child, stats: async () => JSON.parse((await ask(socket, 'GET', '/stats')).body) as StreamStats }
}

/** @returns bytes of all windows */
async function publish(
  client: ConstructorParameters<typeof Publishing>[0],
  endpoint: string,
  hosts: number,
): Promise<number> {
  const [bundle] = inMessages(foldedRows(ROWS, CONTAINERS))
  const first = Math.floor(Date.now() / 1000 / INTERVAL) * INTERVAL - WINDOWS * INTERVAL
  let bytes = 0
  for (let window = 0; window < WINDOWS; window++) {
    const waiting = Array.from({ length: hosts }, (_, host) => host)
    const time = first + window * INTERVAL
    const one = async () => {
      for (let host = waiting.pop(); host !== undefined; host = waiting.pop()) {
        const head = { ...headOf(window + 1, host), ...endOf(time), sequence: window }
        const message = pack(encodeWindow(head, bundle!, whoOf(CONTAINERS, host)))
        bytes += message.length
        const { host: name, boot, probe } = head
        const key = { host: name, boot, probe, window: window + 1 }
        const publishing = new Publishing(client, endpoint, tokenOf(name))
        await publishing.publish({ key, time, interval: INTERVAL, messages: [message] })
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, one))
  }
  return bytes
}
