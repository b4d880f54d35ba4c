/** Mutated messages from the holder of a key, through the encrypted port of the real collector; beside it an honest probe. */

import type { Test } from 'tap'
import { decodeAck } from '../../wire/ack.ts'
import { encodeWindow } from '../../wire/message.ts'
import { bundleOf } from '../harness/bundle.ts'
import { examples, headOf, mutated, randomOf } from '../harness/fuzz.ts'
import { holder, makeKeys, peakMib } from '../harness/link.ts'
import { openSite } from '../harness/sockflux.ts'

const COLLECTOR_MIB = 400
const names = { cgroups: {}, containers: {}, pods: {}, running: [] }

/** @param every so many mutated messages one honest window */
export async function fuzz(t: Test, count: number, seed: number, every = 500): Promise<void> {
  const site = await openSite()
  t.teardown(() => site.close())
  const keys = await makeKeys(site.directory, 'web1', 'fuzz1')
  const collector = await site.collector(['--keys', keys.directory, '--listen', `${site.endpoint},curve`])
  const random = randomOf(seed)
  const connect = async (host: string) => {
    const connected = await holder(site.endpoint, host, keys.curve(host))
    t.teardown(() => connected.dialled.close())
    return connected
  }
  const honest = await connect('web1')
  // a peer that reads nothing does not see the answers to its heartbeats, and disconnects
  const connectFuzzer = async () => {
    const connected = await connect('fuzz1')
    void (async () => {
      for await (const _ of connected.dialled.socket);
    })().catch(() => {})
    return connected
  }
  let fuzzer = await connectFuzzer()
  const of = examples('fuzz1')
  let window = 0
  let reconnects = 0
  for (let sent = 0; sent < count; sent++) {
    const frames = mutated(of, random)
    if (random(1000) === 0)
      await fuzzer.dialled.socket.send(frames).catch(() => {}) // without its token
    else await fuzzer.send(frames).catch(() => {})
    if (fuzzer.dialled.socket.closed && reconnects++ < 100) fuzzer = await connectFuzzer()
    if (sent % every > 0) continue
    await honest.send(encodeWindow(headOf('web1', window), bundleOf(), names))
    t.equal(decodeAck(await honest.receive()).window, window, 'the honest window is acknowledged', { sent })
    window++
  }
  const stats = await site.stats()
  const refused = Object.entries(stats.lost).filter(([reason]) => reason.startsWith('malformed_'))
  const total = refused.reduce((sum, [, lost]) => sum + lost, 0)
  t.ok(total > count / 3, `${total} of ${count} were refused, for ${refused.length} reasons`)
  t.ok(refused.length > 20)
  const { received } = stats
  t.ok(received >= window)
  t.ok(peakMib(collector.pid) < COLLECTOR_MIB, `${Math.round(peakMib(collector.pid))} MiB`)
  t.equal(reconnects, 0)
  t.same(await collector.kill(), { code: 0, signal: null }, 'it lives, and ends as it should')
}
