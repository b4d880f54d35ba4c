/** What the spool costs: its files alone, and a probe's publisher with and without it. */

import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pino } from 'pino'
import { Router } from 'zeromq'
import { Publisher } from '../../probe/publish/publish.ts'
import { SendOffset } from '../../probe/publish/send_offset.ts'
import { encodeAck } from '../../wire/ack.ts'
import { decode, WINDOW } from '../../wire/message.ts'
import { openSpool } from '../../wire/spool/spool.ts'
import { until } from '../harness/until.ts'
import { median, ownSeconds } from './cpu.ts'
import { endOf, headOf, ROWS, tcpRows, whoOf } from './simulated.ts'

const MB = 1e6
const CONTAINERS = 50
const bounds = { maxBytes: 2 ** 31, maxAgeMs: 86_400_000 }

async function inDirectory<T>(use: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), `sockflux-spool-${process.pid}-`))
  try {
    return await use(path)
  } finally {
    await rm(path, { recursive: true })
  }
}

async function seconds(action: () => Promise<unknown>): Promise<number> {
  const before = performance.now()
  await action()
  return (performance.now() - before) / 1000
}

/** Writes and reads windows of so many bytes. */
function files(bytes: number, count: number): Promise<string[][]> {
  return inDirectory(async path => {
    const frames = [Buffer.alloc(bytes, 1)]
    const plain = await open(join(path, 'plain'), 'w')
    const directory = join(path, 'spool')
    const spool = await openSpool({ ...bounds, directory })
    let [least, append, cpu] = [0, 0, 0]
    // in turns, so that a drifting machine cancels out
    for (let window = 0; window < count; window++) {
      least += await seconds(async () => {
        await plain.write(frames[0]!)
        await plain.datasync()
      })
      const before = ownSeconds()
      append += await seconds(() => spool.append([{ head: { window }, frames, windows: 1, rows: 1 }]))
      cpu += ownSeconds() - before
    }
    await plain.close()
    const cpuMs = (cpu / count) * 1000
    const read = await seconds(async () => {
      for (let at = spool.oldest; at !== undefined; at = spool.after(at)) await spool.read(at)
    })
    await spool.close()
    let found = 0
    const start = await seconds(async () => {
      const next = await openSpool({ ...bounds, directory, found: () => found++ })
      await next.close()
    })
    if (found !== count) throw new Error(`${found} windows found instead of ${count}`)
    const what = `windows of ${bytes / 1000} kB`
    const rate = (time: number) =>
      `${Math.round(count / time).toLocaleString('en')} a second, ${Math.round((count * bytes) / time / MB)} MB/s`
    return [
      [
        `${what}: appended, one fsync each`,
        `${rate(append)}, ${cpuMs.toFixed(2)} ms CPU each; a plain file with fdatasync ${rate(least)}`,
      ],
      [`${what}: read`, rate(read)],
      [`${what}: found at the start`, rate(start)],
    ]
  })
}

/** A collector that acknowledges each window at once. */
async function withCollector<T>(path: string, use: (endpoint: string) => Promise<T>): Promise<T> {
  const endpoint = `ipc://${join(path, 'collector')}`
  const router = new Router({ linger: 0 })
  await router.bind(endpoint)
  const reading = (async () => {
    for await (const [route, ...frames] of router) {
      const { topic, head } = decode(frames)
      if (topic === WINDOW) await router.send([route!, ...encodeAck(head)])
    }
  })()
  try {
    return await use(endpoint)
  } finally {
    router.close()
    await reading
  }
}

const publisher = (endpoint: string, spool: string) => {
  const options = { collectors: [endpoint], sendTo: 'all' as const, queueBytes: 2 ** 26 }
  const { host, boot, probe } = headOf(0)
  return Publisher.open(
    {
      ...{ ...options, sendOffset: new SendOffset(host, 0, 1) },
      spool: { directory: spool, bytes: bounds.maxBytes, ageMs: bounds.maxAgeMs },
    },
    { host, boot, probe },
    pino({ level: 'silent' }),
  )
}

const rows = tcpRows(ROWS, CONTAINERS)
const names = whoOf(CONTAINERS)
function push(to: Publisher, window: number): void {
  let sequence = window * 10
  const head = () => ({ ...headOf(window), sequence: sequence++ })
  for (const some of rows) to.add(some, names, head)
  to.end({ ...head(), ...endOf(window + 1) }, { ...names, running: [] })
}

/** @returns milliseconds of CPU a window, of the publisher and of the collector */
function calm(spool: string, windows: number, pauseMs: number): Promise<number> {
  return inDirectory(path =>
    withCollector(path, async endpoint => {
      const to = await publisher(endpoint, spool === 'off' ? 'off' : join(path, spool))
      push(to, 0)
      await until('a connection', () => to.stats().waiting === 0)
      const before = ownSeconds()
      for (let window = 1; window <= windows; window++) {
        push(to, window)
        await sleep(pauseMs)
      }
      await until('all acknowledgements', () => to.stats().waiting === 0)
      const spent = ownSeconds() - before
      await to.close(0)
      return (spent / windows) * 1000
    }),
  )
}

/** Windows of an outage, from the disk of one run to the collector of the next. */
function replayed(windows: number): Promise<string> {
  return inDirectory(async path => {
    const spool = join(path, 'spool')
    const endpoint = `ipc://${join(path, 'collector')}`
    const before = await publisher(endpoint, spool)
    for (let window = 0; window < windows; window++) {
      push(before, window)
      await until('the disk', () => before.figures().spool_windows === window + 1)
    }
    await before.close(0)
    return withCollector(path, async () => {
      const to = await publisher(endpoint, spool)
      const time = await seconds(() => until('the last window', () => to.stats().waiting === 0, 120_000))
      await to.close(0)
      return `${Math.round(windows / time).toLocaleString('en')} windows a second`
    })
  })
}

export async function benchSpool(count = 300, rounds = 5, pauseMs = 250): Promise<string[][]> {
  const [off, on]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    off.push(await calm('off', 20, pauseMs))
    on.push(await calm('spool', 20, pauseMs))
  }
  const text = (some: readonly number[]) => `${median(some).toFixed(2)} ms`
  const what = `a window of ${ROWS.toLocaleString('en')} rows`
  return [
    ...(await files(20_000, count)),
    ...(await files(1_000_000, count / 3)),
    [
      `${what}, all is well: CPU of publisher and receiver`,
      `${text(off)} without a spool, ${text(on)} with one`,
    ],
    [`${what}, after an outage, to a collector that answers at once`, await replayed(count)],
  ]
}
