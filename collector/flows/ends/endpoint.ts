/** The addresses of a flow's two ends. */

import { addressText } from '../../../wire/address_text.ts'
import { WORD } from '../table/columns.ts'
import type { FlowStore } from '../table/store.ts'

export interface Endpoint {
  readonly ip: string
  readonly port: number
}

export const ipAt = (store: FlowStore, flow: number, side: 'local' | 'remote'): string =>
  endpoint(store, flow, side).ip

export function endpoint({ table }: FlowStore, flow: number, side: 'local' | 'remote'): Endpoint {
  const first = side === 'local' ? WORD.LOCAL : WORD.REMOTE
  const [a, b, c, d] = [0, 1, 2, 3].map(word => table.word(flow, first + word)) as [
    number,
    number,
    number,
    number,
  ]
  const ports = table.word(flow, WORD.PORTS)
  return { ip: addressText(a, b, c, d), port: side === 'local' ? ports >>> 16 : ports & 0xffff }
}
