/** The collector's part that sees every row: messages decoded and folded, in this process, without the network. */

import { open } from 'bcc-bindings'
import { Ingest } from '../../collector/ingest.ts'
import { objectPath } from '../../probe/kernel.ts'
import { encode, SCHEMA, type Who, WINDOW } from '../../probe/wire/message.ts'
import { ownSeconds } from './cpu.ts'

const ROWS = 4096
const MESSAGES = 500
const CONTAINERS = 200

export async function benchFold(): Promise<string[][]> {
  const object = open(objectPath())
  const layout = object.layout('tcp_flow')
  object.close()
  const at = (name: string) => layout.fields.find(field => field.name === name)!.offset
  const rows = Buffer.alloc(ROWS * layout.size)
  for (let row = 0; row < ROWS; row++) {
    const start = row * layout.size
    rows.writeUInt32LE(1 + (row % CONTAINERS), start + at('cgroup'))
    rows.writeUInt32LE(20_000 + row, start + at('rtt_us'))
    rows.writeUInt32LE(1 + (row % 5), start + at('segs_sent'))
    rows.writeUInt8(1 + (row % 2), start + at('role'))
  }
  const ids = Array.from({ length: CONTAINERS }, (_, index) => (index + 1).toString(16).padStart(64, '0'))
  const who: Who = {
    cgroups: Object.fromEntries(ids.map((id, index) => [`0:${index + 1}`, id])),
    containers: Object.fromEntries(ids.map(id => [id, { runtime: 'containerd', name: 'main' }])),
    pods: {},
  }
  const head = {
    schema: SCHEMA,
    host: 'h',
    boot: 'b',
    probe: 'p',
    window: 0,
    start_ns: '0',
    lost: {},
    layout,
  }
  const messages = Array.from({ length: MESSAGES }, (_, sequence) =>
    encode('tcp_flow', { ...head, sequence }, rows, who),
  )
  const end = {
    ...head,
    sequence: MESSAGES,
    end_ns: '1',
    time: 10,
    interval: 10,
    clock_offset_ns: '0',
    partial: false,
  }
  const last = encode(WINDOW, end, Buffer.alloc(0), { ...who, running: ids } as Who)
  const ingest = new Ingest()
  const before = ownSeconds()
  for (const message of messages) ingest.receive(message)
  const { folded } = ingest.receive(last)
  const seconds = ownSeconds() - before
  const flows = [...folded[0]!.fold.containers.values()].reduce(
    (sum, { client, server }) => sum + client.flows + server.flows,
    0,
  )
  if (flows !== ROWS * MESSAGES) throw new Error(`${flows} flows folded instead of ${ROWS * MESSAGES}`)
  return [['decode and fold, one core', `${(flows / seconds / 1e6).toFixed(1)} million rows per CPU second`]]
}
