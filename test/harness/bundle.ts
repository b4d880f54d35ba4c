/** Rows of one record after the other, as in a message. */

import type { Rows } from '../../wire/layout.ts'
import type { Bundle } from '../../wire/message.ts'

export const bundleOf = (...parts: readonly Rows[]): Bundle => ({
  parts: parts.map(({ layout, bytes }) => ({ layout, length: bytes.length })),
  rows: Buffer.concat(parts.map(({ bytes }) => bytes)),
})
