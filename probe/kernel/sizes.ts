import type { BpfObject } from 'bcc-bindings'
import type { Signal, Sizes } from '../signals/signal.ts'
import type { Wanted } from './wanted.ts'

/** What the sizes of a signal's maps depend on. */
export const sizesOf = (object: BpfObject, wanted: Wanted, signal: Signal): Sizes => ({
  options: wanted.options,
  wanted: wanted.has(signal),
  sizeOf: struct => object.layout(struct).size,
})
