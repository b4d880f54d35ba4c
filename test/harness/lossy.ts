/** A relay of messages between a probe and a collector that loses some of them: TCP by itself would lose none. */

import { Dealer, Router } from 'zeromq'
import { decode, type Message } from '../../wire/message.ts'
import { type Closable, closable } from './cleanup.ts'
import { freePort } from './sockflux.ts'

/** Which messages do not arrive, with what they are. */
type Lose = (message: Exclude<Message, { topic: 'settled' }>) => boolean

/** @param collector endpoint, which listens already; of one probe */
export function startLossy(collector: string, lose: Lose): Promise<{ endpoint: string } & Closable> {
  return closable(async cleanup => {
    const near = new Router({ linger: 0 })
    cleanup.defer(() => near.close())
    const far = new Dealer({ linger: 0 })
    cleanup.defer(() => far.close())
    const endpoint = `tcp://127.0.0.1:${await freePort()}`
    await near.bind(endpoint)
    far.connect(collector)
    let probe: Buffer | undefined
    const until = (reading: Promise<void>) => reading.catch(() => {}) // it was closed
    const there = async () => {
      for await (const [from, ...frames] of near) {
        probe = from
        const message = decode(frames)
        if (!('parts' in message) || !lose(message)) await far.send(frames)
      }
    }
    const back = async () => {
      for await (const frames of far) if (probe) await near.send([probe, ...frames])
    }
    const reading = Promise.all([until(there()), until(back())])
    cleanup.defer(() => Promise.race([reading, new Promise(resolve => setTimeout(resolve, 1000))]))
    return { endpoint }
  })
}
