import t from 'tap'
import { Cleanup } from '../harness/cleanup.ts'
import { startNats } from '../harness/nats.ts'
import { startSource } from '../harness/publisher.ts'
import { startRelay } from '../harness/relay.ts'
import { needs } from '../harness/skip.ts'
import { freePort } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { NatsStage, sorted } from './nats_stage.ts'

const CUT_WINDOWS = 60

t.test(
  'a site is cut off for sixty windows, and every line is there once',
  { skip: needs('nats', 'influxd', 'bpf') },
  async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const leafPort = await freePort()
    const hub = await startNats(cleanup, { more: `leafnodes { listen: "127.0.0.1:${leafPort}" }` })
    const relay = await startRelay(`tcp://127.0.0.1:${leafPort}`)
    cleanup.defer(() => relay.close())
    const leaf = await startNats(cleanup, {
      name: 'site',
      configuration: '',
      isLeaf: true,
      more: `leafnodes { remotes: [ { url: "${relay.endpoint.replace('tcp:', 'nats:')}" } ], reconnect: 1 }`,
    })
    const stage = await NatsStage.open(t, hub.url, 2)
    const far = await Promise.all(['far1', 'far2'].map(host => startSource(host, [leaf.url])))
    cleanup.defer(() => Promise.all(far.map(source => source.close())))
    stage.sources.push(...far)
    await stage.startCollector('a')
    let time = Math.floor(Date.now() / 1000) - CUT_WINDOWS - 20
    const publish = (count: number, which = stage.sources) => {
      for (let window = 0; window < count; window++, time++) for (const source of which) source.publish(time)
    }
    publish(5)
    await stage.stored()
    await relay.cut()
    publish(CUT_WINDOWS)
    const near = stage.sources.slice(0, 2)
    await until('the near ones are stored', () =>
      near.every(({ stats }) => stats.accounts.waiting.windows === 0),
    )
    t.same(
      far.map(({ stats }) => stats.accounts.waiting.windows),
      [CUT_WINDOWS, CUT_WINDOWS],
    )
    await relay.join()
    publish(5)
    await stage.stored(60_000)
    t.same(sorted(await stage.lines()), sorted(stage.expected))
    for (const { stats } of stage.sources)
      t.equal(stats.accounts.produced.windows, stats.accounts.stored.windows)
  },
)
