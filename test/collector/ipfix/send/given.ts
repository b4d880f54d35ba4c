/** What the tests of the sender give each other. */

import type { Test } from 'tap'
import { Output } from '../../../../collector/ipfix/output.ts'
import type { Connection } from '../../../../collector/ipfix/send/connection.ts'
import { Sender, type SenderOptions } from '../../../../collector/ipfix/send/sender.ts'
import { IpfixSpeaker } from '../../../../collector/ipfix/send/speaker.ts'
import { RECORD } from '../given.ts'

type Open = (signal: AbortSignal) => Promise<Connection>

/** A sender that has started, and records for it. @param burst undefined: a stream */
export function senderTo(t: Test, open: Open, burst?: SenderOptions['burst']) {
  const warnings: string[] = []
  const output = new Output(
    { profile: 'antrea-seed', times: 's', format: 'ipfix', domain: burst && undefined, maxRecord: 60_000 },
    entry => sender.add(entry),
  )
  const speaker = new IpfixSpeaker({
    templates: [output.templates[4], output.templates[6]],
    ...{ domains: [7], maxMessage: burst ? 512 : 65_535, isStream: !burst },
    refreshS: burst && 600,
  })
  const sender = new Sender({ name: 'to', maxBytes: 2 ** 30, burst, firstDelayMs: 10 }, open, speaker, {
    warn: (_, text) => void warnings.push(text),
  })
  sender.start()
  t.teardown(() => sender.close(0))
  const emit = (count: number, node?: (at: number) => string) => {
    for (let at = 0; at < count; at++)
      output.emit({ ...RECORD, node: node?.(at) ?? 'node-a', source: { ip: '10.10.0.5', port: at % 60_000 } })
  }
  return { sender, emit, warnings }
}

/** A connection that keeps what it is given. @param onSend throws: it was not sent */
export function keeping(onSend: (bytes: Buffer) => void): Connection {
  return {
    failure: undefined,
    onFailure: undefined,
    send: async bytes => onSend(bytes),
    abandon: () => {},
    close: async () => {},
  }
}
