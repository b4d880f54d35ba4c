/** A record's way from its rows to messages of IPFIX: CPU of a record, and what is kept of each flow. */

import { Flows } from '../../collector/flows/flows.ts'
import { Fold } from '../../collector/fold/fold.ts'
import { Aggregator } from '../../collector/ipfix/follow/aggregator.ts'
import { Follow } from '../../collector/ipfix/follow/follow.ts'
import { NodeAddresses } from '../../collector/ipfix/follow/node_addresses.ts'
import { Output } from '../../collector/ipfix/output.ts'
import type { IpfixRecord } from '../../collector/ipfix/record/record.ts'
import { IpfixSpeaker } from '../../collector/ipfix/send/speaker.ts'
import { Waiting } from '../../collector/ipfix/send/waiting.ts'
import type { Names } from '../../wire/message.ts'
import { layoutOfRecord } from '../collector/given.ts'
import { encodeRows } from '../harness/rows.ts'
import { ownSeconds } from './cpu.ts'
import { rowOf } from './flows.ts'

const BATCH = 4096
const CONVERSATIONS = 100_000
const NAMES: Names = { cgroups: {}, containers: {}, pods: {} }
const KEY = { host: 'h', boot: 'b', probe: 'p' }

export async function benchIpfix(): Promise<string[][]> {
  const records: IpfixRecord[] = []
  const told = timed(() => tell(records))
  if (records.length !== CONVERSATIONS) throw new Error(`${records.length} records`)
  const waiting = new Waiting(2 ** 30)
  const output = new Output(
    { profile: 'aggregate-seed', times: 's', format: 'ipfix', domain: 1, maxRecord: 60_000 },
    entry => waiting.add(entry),
  )
  const encoded = timed(() => {
    for (const record of records) output.emit(record)
  })
  const { bytes } = waiting
  let sent = 0
  const packed = timed(() => {
    sent = send(waiting, output)
  })
  const rate = (seconds: number) =>
    `${Math.round(CONVERSATIONS / seconds).toLocaleString('en')} records per CPU second`
  return [
    [
      `${CONVERSATIONS.toLocaleString('en')} conversations with both ends, from rows to records`,
      rate(told.seconds),
    ],
    [
      'their records, encoded',
      `${rate(encoded.seconds)}, ${Math.round(bytes / CONVERSATIONS)} bytes each while they wait`,
    ],
    [
      'their messages',
      `${rate(packed.seconds)}, ${Math.round(sent / CONVERSATIONS)} bytes a record on the wire`,
    ],
    ['from rows to messages', rate(told.seconds + encoded.seconds + packed.seconds)],
    [
      'state kept for each flow between its records',
      `${Math.ceil(told.value / (2 * CONVERSATIONS))} bytes each`,
    ],
  ]
}

function timed<T>(work: () => T): { readonly value: T; readonly seconds: number } {
  const before = ownSeconds()
  const value = work()
  return { value, seconds: ownSeconds() - before }
}

/** One window with an active period of a second before it: all of them are due. @returns bytes that are kept */
function tell(records: IpfixRecord[]): number {
  const flows = new Flows(
    { flows: true, maxLiveFlows: 2 * CONVERSATIONS, metrics: [], subnetMatch: 'first' },
    [],
    { warn() {} },
  )
  const parts = { scope: 'all', addresses: new NodeAddresses() } as const
  const emit = (record: IpfixRecord) => void records.push(record)
  const aggregator = new Aggregator({ ...parts, emit }, 1, () => 0)
  const follow = new Follow(aggregator, { activeS: 1, idleS: 3600 })
  flows.follow([follow])
  for (const [window, record] of ['tcp_flow', 'tcp_update'].entries()) {
    const layout = layoutOfRecord(record)
    for (let first = 0; first < 2 * CONVERSATIONS; first += BATCH) {
      const rows = Array.from({ length: Math.min(BATCH, 2 * CONVERSATIONS - first) }, (_, at) =>
        rowOf(first + at),
      )
      const head = { ...KEY, window, sequence: 0, start_ns: '0', lost: {} }
      flows.take(head, layout, encodeRows(layout, rows), NAMES)
    }
    const common = { partial: false, complete: true, lost: {}, interval: 10, offsetMs: 1e12 }
    flows.end(
      { key: { ...KEY, window }, time: 1e9 + window * 10, fold: new Fold(), ...common },
      '0',
      () => {},
    )
  }
  return follow.bytes
}

/** @returns bytes */
function send(waiting: Waiting, output: Output): number {
  const speaker = new IpfixSpeaker({
    templates: [output.templates[4], output.templates[6]],
    ...{ domains: [1], maxMessage: 65_535, isStream: true, refreshS: undefined },
  })
  let bytes = 0
  while (waiting.size > 0) for (const piece of speaker.next(waiting, 1)) bytes += piece.bytes.length
  return bytes
}
