/**
 * A fleet by way of a NATS server, published as fast as the server takes it, so slower or faster than real time: CPU counts for a
 * window, of which a host has one every ten seconds. Of the same six windows each host's state is written down once, as in use.
 */

import { Cleanup } from '../harness/cleanup.ts'
import { childSeconds, cpuOf, memoryOf, ownSeconds, since } from './cpu.ts'
import { CONTAINERS, FleetStage } from './fleet_stage.ts'
import { INTERVAL } from './simulated.ts'

const FLEETS = '1000x1,5000x2,10000x4'
/** From one writing down of what is known of a host to the next. */
const WINDOWS = 6

interface Fleet {
  readonly hosts: number
  readonly collectors: number
}

function fleetOf(text: string): Fleet {
  const [, hosts, collectors] = /^([1-9]\d*)x([1-9]\d*)$/.exec(text) ?? []
  if (hosts === undefined) throw new Error(`${text} is no fleet: give HOSTSxCOLLECTORS, for example 1000x1`)
  return { hosts: Number(hosts), collectors: Number(collectors) }
}

/** @param fleets hosts and collectors of each */
export async function benchFleet(fleets = FLEETS): Promise<string[][]> {
  const table: string[][] = []
  for (const fleet of fleets.split(',').map(fleetOf)) {
    const rows = await measure(fleet)
    process.stderr.write(rows.map(row => `${row.join(': ')}\n`).join('')) // it takes a while
    table.push(...rows)
  }
  return table
}

async function measure({ hosts, collectors }: Fleet): Promise<string[][]> {
  const cleanup = new Cleanup()
  try {
    const stage = await FleetStage.open(cleanup, collectors)
    const all = hosts * WINDOWS
    const pids = stage.collectors.map(({ pid }) => pid)
    const server = cpuOf(stage.server.pid)
    const before = pids.map(cpuOf).reduce((sum, { user, kernel }) => sum + user + kernel, 0)
    const [own, ended, at] = [ownSeconds(), childSeconds(), performance.now()]
    const bytes = await stage.publish(hosts, WINDOWS)
    const published = { cpu: ownSeconds() - own, seconds: (performance.now() - at) / 1000 }
    const behind = all - (await stage.read())
    await stage.stored(all)
    const seconds = (performance.now() - at) / 1000
    const most = Math.max(...pids.map(pid => memoryOf(pid, 'VmHWM')))
    // they write down what they know, and are waited for: then their CPU is ours
    await Promise.all(stage.collectors.map(collector => collector.kill('SIGTERM')))
    const collected = childSeconds() - ended - before
    const { user, kernel } = since(server, cpuOf(stage.server.pid))

    const what = `${hosts} hosts, ${collectors} ${collectors === 1 ? 'collector' : 'collectors'}`
    const cpu = (seconds: number) =>
      `${((seconds / all) * 1000).toFixed(2)} ms a window, ${(seconds / WINDOWS / INTERVAL).toFixed(2)} cores in real time`
    const rate = (seconds: number) => Math.round(all / seconds)
    return [
      [`${what}: a window, ${CONTAINERS} containers`, `${(bytes / all / 1000).toFixed(1)} kB`],
      [`${what}: all windows`, `${(bytes / WINDOWS / INTERVAL / 1e6).toFixed(1)} MB/s in real time`],
      [`${what}: CPU of making and publishing`, cpu(published.cpu)],
      [`${what}: CPU of the server`, cpu(user + kernel)],
      [`${what}: CPU of the collectors`, cpu(collected)],
      [
        `${what}: published here`,
        `${rate(published.seconds)} windows a second, real time has ${hosts / INTERVAL}`,
      ],
      [`${what}: stored here`, `${rate(seconds)} windows a second`],
      [`${what}: not read yet when all was published`, `${Math.max(0, behind)} of ${all} windows`],
      [`${what}: memory of the largest collector`, `${Math.round(most)} MiB`],
    ]
  } finally {
    await cleanup.close()
  }
}
