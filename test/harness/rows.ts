/** Rows of `tcp_flow` from plain objects, laid out as in the loaded object. */

import { open } from 'bcc-bindings'
import { objectPath } from '../../probe/kernel/load.ts'
import type { Field, Layout } from '../../wire/layout.ts'
import type { NumberField, TcpFlow } from '../../wire/records.ts'

/** What is not said is 0. */
export type Flow = Partial<Record<NumberField<TcpFlow>, number>> & { readonly comm?: string }

/** The record's layout, from the object's BTF. */
export function tcpFlowLayout(): Layout {
  const object = open(objectPath())
  try {
    return object.layout('tcp_flow')
  } finally {
    object.close()
  }
}

export function encodeRows(layout: Layout, flows: readonly Flow[]): Buffer {
  const rows = Buffer.alloc(flows.length * layout.size)
  for (const [index, flow] of flows.entries())
    for (const field of layout.fields) {
      const value = flow[field.name as keyof Flow]
      if (value !== undefined) put(rows, index * layout.size, field, value)
    }
  return rows
}

function put(rows: Buffer, at: number, field: Field, value: number | string): void {
  if (typeof value === 'string') rows.write(value, at + field.offset, field.size)
  else if (field.size === 8) rows.writeBigUInt64LE(BigInt(value), at + field.offset)
  else rows.writeUIntLE(value, at + field.offset, field.size)
}
