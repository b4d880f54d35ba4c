/** A collector with few descriptors, and strangers that take them. */

import { connect, type Socket } from 'node:net'
import t from 'tap'
import { Dealer } from 'zeromq'
import { start } from '../harness/process.ts'
import { logged, openSite, SOCKFLUX } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'

t.test('half greetings without end: the collector lives, says so, and goes on', async t => {
  const site = await openSite()
  t.teardown(() => site.close())
  const words = ['collector', '--listen', site.endpoint, '--socket', site.socket, '--store', site.store]
  const limited = ['bash', '-c', 'ulimit -n 256; exec "$@"', 'bash', ...SOCKFLUX, ...words]
  const collector = start(limited)
  t.teardown(() => collector.close())
  await logged(collector, /"connections":128.*"msg":"started"/)
  const port = Number(new URL(site.endpoint).port)
  const strangers: Socket[] = []
  t.teardown(() => {
    for (const stranger of strangers) stranger.destroy()
  })
  for (let index = 0; index < 323; index++) {
    const stranger = connect(port, '127.0.0.1')
      .on('error', () => {})
      .resume()
    strangers.push(stranger)
    stranger.once('connect', () => stranger.write(Buffer.from([0xff, 0, 0])))
  }
  await logged(collector, /128 connections are open without a handshake/)
  await until('their time is over', () => strangers.every(({ destroyed }) => destroyed), 20_000)
  t.equal((await site.stats()).received, 0, 'it answers')
  const dealer = new Dealer({ linger: 0, reconnectInterval: 100 })
  t.teardown(() => dealer.close())
  const handshake = Promise.withResolvers<void>()
  dealer.events.on('handshake', () => handshake.resolve())
  dealer.connect(site.endpoint)
  await handshake.promise
  t.same(await collector.kill(), { code: 0, signal: null })
})
