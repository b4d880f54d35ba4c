/** Collectors that are killed at random moments while hosts publish, and what is in InfluxDB at the end. */

import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { startNats } from '../harness/nats.ts'
import { startCluster } from '../harness/nats_cluster.ts'
import { needs } from '../harness/skip.ts'
import { NatsStage, sorted } from './nats_stage.ts'

const HOSTS = 12

export function killCollectors(kills: number, servers: 1 | 3): void {
  const name = `${servers} NATS server${servers > 1 ? 's' : ''}: collectors are killed ${kills} times at random, and every line is there once`
  t.test(name, { skip: needs('nats', 'influxd', 'bpf') }, async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const endpoint =
      servers === 1 ? (await startNats(cleanup)).url : (await startCluster(cleanup, servers)).endpoint
    const stage = await NatsStage.open(t, endpoint, HOSTS, { replicas: servers })
    await stage.startCollector('a')
    await stage.startCollector('b')
    const publishing = stage.publish(kills * 4 + 3)
    for (let kill = 0; kill < kills; kill++) {
      await sleep(1000 + Math.random() * 2000)
      const name = Math.random() < 0.5 ? 'a' : 'b'
      await stage.endCollector(name, 'SIGKILL')
      await sleep(Math.random() * 1000)
      await stage.startCollector(name)
    }
    await publishing
    await stage.stored(60_000)
    t.same(sorted(await stage.lines()), sorted(stage.expected))
  })
}
