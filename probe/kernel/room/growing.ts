/** What the maps that grow have in common: `struct room` of `bpf/room/room.bpf.h` says how much of each is used. */

import type { BpfObject } from 'bcc-bindings'

/** A number of `struct room`, in memory that is shared with the programs. */
export interface Word {
  get(): number
  set(value: number): void
}

/** The words of `struct room`; members of nested structs are `tcp.used`. */
export function wordsOf(object: BpfObject): (name: string) => Word {
  const { fields } = object.layout('room')
  const view = object.map('.data.room').view()
  return name => {
    const at = fields.find(field => field.name === name)?.offset
    if (at === undefined) throw new Error(`struct room has no ${name}`)
    return { get: () => view.readUInt32LE(at), set: value => view.writeUInt32LE(value, at) }
  }
}

/** A map that is made larger before it is full. */
export interface Grown {
  readonly name: string
  /** What there is room for now. */
  readonly room: number
  /** Whether it is to grow. */
  isShort(): boolean
  /** @throws BpfError: no memory; what is there stays */
  grow(): Promise<void>
  /** It cannot grow now, or can again: who waits for room is told. */
  promise(grows: boolean): void
}
