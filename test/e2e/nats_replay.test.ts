/** Windows of the stream once more, into a database that has lost them: with the counters that they had. */

import { jetstream } from '@nats-io/jetstream'
import { Kvm } from '@nats-io/kv'
import { headers } from '@nats-io/transport-node'
import t from 'tap'
import { partitionOf, STATES, STREAM, subjectOf, tokenOf } from '../../wire/nats/names.ts'
import { PART, pack, WINDOW } from '../../wire/nats/window.ts'
import { Cleanup } from '../harness/cleanup.ts'
import { natsClient, startNats, WANTED } from '../harness/nats.ts'
import { needs } from '../harness/skip.ts'
import { ended, SOCKFLUX } from '../harness/sockflux.ts'
import { NatsStage, sorted } from './nats_stage.ts'

const HOSTS = 5

t.test(
  'windows are replayed with the counters that they had, as often as one likes',
  { skip: needs('nats', 'influxd', 'bpf') },
  async t => {
    const cleanup = new Cleanup()
    t.teardown(() => cleanup.close())
    const server = await startNats(cleanup)
    const client = await natsClient(cleanup, server.url)
    const stage = await NatsStage.open(t, server.url, HOSTS)
    const states = await new Kvm(jetstream(client)).open(STATES)
    const manager = await jetstream(client).jetstreamManager()
    const replay = (from: number, to: number, ...more: string[]) => {
      const range = ['--from', iso(from), '--to', iso(to)]
      const where = ['--listen', server.url, '--influx-url', stage.influx.url, ...more]
      return ended([...SOCKFLUX, 'replay', ...range, ...where])
    }
    const live = async (seconds: number) => {
      await stage.startCollector('a')
      await stage.publish(seconds)
      await stage.stored()
      await stage.endCollector('a', 'SIGTERM')
    }
    const forget = async () => {
      await stage.influx.query('DROP DATABASE sockflux')
      await stage.influx.query('CREATE DATABASE sockflux')
    }

    // a stranger's: refused then and now
    const more = headers()
    for (const [name, value] of [
      [PART, '1/1'],
      [WINDOW, String(Math.floor(Date.now() / 1000) - 1)],
    ] as const)
      more.set(name, value)
    const broken = pack([Buffer.from('nonsense'), Buffer.from('{}')])
    await jetstream(client).publish(subjectOf(tokenOf('web0.example')), broken, { headers: more })
    await live(3)
    const all = sorted(stage.expected)
    const [first, last] = [stage.sources[0]!.times[0]!, stage.sources[0]!.times.at(-1)!]
    await forget()
    const whole = await replay(first, last)
    t.match([whole.code, whole.stdout], [0, new RegExp(`${all.length} windows of this time`)], whole.stderr)
    t.match(whole.stdout, /^of what was read: ingest\/malformed_\w+ 1$/m)
    t.same(sorted(await stage.lines()), all, 'all of them')

    // as if an hour had passed: the next state that is written down is kept
    for (const { host } of stage.sources)
      for await (const key of await states.keys(`s.${partitionOf(tokenOf(host), WANTED.partitions)}.*`))
        await states.purge(key)
    await live(2)
    const { state } = await manager.streams.info(STREAM)
    await live(3)
    await manager.streams.purge(STREAM, { seq: state.last_seq + 1 })
    const from = stage.sources[0]!.times.at(-2)!
    const to = stage.sources[0]!.times.at(-1)!
    const early = await replay(first, to)
    t.match([early.code, early.stderr], [1, /what counters of partition \d had come to.*--from-zero/])
    await forget()
    const wanted = stage.expected.filter(({ time }) => time >= from)
    for (let again = 0; again < 2; again++) {
      const { code, stderr } = await replay(from, to, '--rate', '100')
      t.equal(code, 0, stderr)
      t.same(sorted(await stage.lines()), sorted(wanted), 'those that were asked for, and their counters')
    }

    const nowhere = await ended([...SOCKFLUX, 'replay', '--from', '1h', '--listen', server.url])
    t.match([nowhere.code, nowhere.stderr], [1, /give --influx-url/])
    const zmq = await ended([...SOCKFLUX, 'replay', '--from', '1h', '--influx-url', stage.influx.url])
    t.match([zmq.code, zmq.stderr], [1, /--listen has 0 NATS endpoints/])
    const turned = await replay(to, from)
    t.match([turned.code, turned.stderr], [1, /--from \S+ is later than --to/])
    const never = await ended([...SOCKFLUX, 'replay', '--listen', server.url])
    t.match([never.code, never.stderr], [1, /give --from/])
  },
)

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
