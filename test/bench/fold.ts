/** The collector's part that sees every row: messages decoded and folded, in this process, without the network. */

import { Ingest } from '../../collector/ingest/ingest.ts'
import { encodeMessage, encodeWindow } from '../../wire/message.ts'
import { bundleOf } from '../harness/bundle.ts'
import { ownSeconds } from './cpu.ts'
import { endOf, headOf, ROWS, tcpRows, whoOf } from './simulated.ts'

const CONTAINERS = 200

export async function benchFold(count = 500): Promise<string[][]> {
  const [said, names, head] = [tcpRows(ROWS, CONTAINERS), whoOf(CONTAINERS), headOf(0)]
  const messages = Array.from({ length: count }, (_, sequence) =>
    encodeMessage({ ...head, sequence }, bundleOf(...said), names),
  )
  const last = encodeWindow({ ...head, ...endOf(10), sequence: count }, bundleOf(), names)
  const ingest = new Ingest()
  const before = ownSeconds()
  for (const message of messages) ingest.receive(message)
  const { folded } = ingest.receive(last)
  const seconds = ownSeconds() - before
  const flows = [...folded[0]!.fold.containers.values()].reduce(
    (sum, { client, server }) => sum + client.flows + server.flows,
    0,
  )
  if (flows !== ROWS * count) throw new Error(`${flows} flows folded instead of ${ROWS * count}`)
  return [['decode and fold, one core', `${(flows / seconds / 1e6).toFixed(1)} million rows per CPU second`]]
}
