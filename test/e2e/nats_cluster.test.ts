import { setTimeout as sleep } from 'node:timers/promises'
import { jetstream } from '@nats-io/jetstream'
import t from 'tap'
import { STREAM } from '../../wire/nats/names.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { natsClient } from '../harness/nats.ts'
import { startCluster } from '../harness/nats_cluster.ts'
import { needs } from '../harness/skip.ts'
import { NatsStage, sorted } from './nats_stage.ts'

const skip = needs('nats', 'influxd', 'bpf')

t.test('the leader of three servers is killed, and every line is there once', { skip }, async t => {
  const cleanup = new Cleanup()
  t.teardown(() => cleanup.close())
  const { servers, endpoint } = await startCluster(cleanup, 3)
  const stage = await NatsStage.open(t, endpoint, 6, { replicas: 3 })
  await stage.startCollector('a')
  await stage.startCollector('b')
  const publishing = stage.publish(14)
  await sleep(4000)
  const client = await natsClient(cleanup, endpoint.slice('nats://'.length).split('+'))
  const { cluster } = await (await jetstream(client).jetstreamManager()).streams.info(STREAM)
  const leader = servers[Number(cluster?.leader?.slice(1))]!
  await leader.stop('SIGKILL')
  await sleep(5000)
  await leader.start()
  await publishing
  await stage.stored(60_000)
  t.same(sorted(await stage.lines()), sorted(stage.expected))
})
