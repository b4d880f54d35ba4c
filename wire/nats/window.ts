/**
 * A window of one host in messages of a NATS server: its messages as on the link, one after the other, cut into parts where
 * one message ends, or inside of one that is larger than a part. The parts are put together before anything is read.
 *
 * Each message of the link is a number of frames (u8), their lengths (u32 each, little-endian), and the frames.
 */

import type { WindowKey } from '../message.ts'
import { tokenOf } from './names.ts'

/** A server takes 1 MiB, with headers, unless it is set otherwise. */
export const PART_BYTES = 900_000
/** Of a window: more is no probe's. */
export const MAX_WINDOW_BYTES = 256 * 2 ** 20
export const MAX_PARTS = 1024
const MAX_FRAMES = 8

/** Names of headers. */
export const PART = 'Sf-Part'
export const WINDOW = 'Sf-Window'
export const INTERVAL = 'Sf-Interval'

export class PartError extends Error {
  override name = 'PartError'
}

export function pack(frames: readonly Buffer[]): Buffer {
  const head = Buffer.alloc(1 + 4 * frames.length)
  head.writeUInt8(frames.length)
  for (const [index, { length }] of frames.entries()) head.writeUInt32LE(length, 1 + 4 * index)
  return Buffer.concat([head, ...frames])
}

/**
 * @param messages packed
 * @param most bytes of a part
 */
export function cut(messages: readonly Buffer[], most: number): Buffer[] {
  const parts: Buffer[] = []
  let part: Buffer[] = []
  let bytes = 0
  const end = () => {
    if (bytes > 0) parts.push(part.length === 1 ? part[0]! : Buffer.concat(part))
    part = []
    bytes = 0
  }
  for (const message of messages) {
    if (bytes + message.length > most) end()
    for (let at = 0; at < message.length; at += most) {
      const piece = message.subarray(at, at + most)
      if (piece.length === most) parts.push(piece)
      else {
        part.push(piece)
        bytes += piece.length
      }
    }
  }
  end()
  return parts
}

/**
 * @param parts all of a window, in order
 * @returns the frames of each message, as they were packed
 * @throws {PartError}
 */
export function unpack(parts: readonly Buffer[]): Buffer[][] {
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts)
  const messages: Buffer[][] = []
  for (let at = 0; at < bytes.length; ) {
    const count = bytes.readUInt8(at)
    let from = at + 1 + 4 * count
    if (count === 0 || count > MAX_FRAMES || from > bytes.length)
      throw new PartError(`${count} frames at byte ${at} of a window with ${bytes.length}`)
    const frames: Buffer[] = []
    for (let index = 0; index < count; index++) {
      const to = from + bytes.readUInt32LE(at + 1 + 4 * index)
      if (to > bytes.length) throw new PartError(`a frame ends at byte ${to} of ${bytes.length}`)
      frames.push(bytes.subarray(from, to))
      from = to
    }
    messages.push(frames)
    at = from
  }
  return messages
}

/** `Nats-Msg-Id`: the same for each attempt to publish this part of this window, when it is cut alike. */
export const idOf = ({ host, boot, probe, window }: WindowKey, part: string): string =>
  [host, boot, probe, window, part].map(word => tokenOf(String(word))).join('.')

/** `2/3`: the second of three. */
export const partText = (index: number, count: number): string => `${index + 1}/${count}`

/** @throws {PartError} */
export function partOf(text: string): { index: number; count: number } {
  const [, index, count] = /^([1-9]\d{0,3})\/([1-9]\d{0,3})$/.exec(text) ?? []
  const part = { index: Number(index) - 1, count: Number(count) }
  if (!(part.index < part.count && part.count <= MAX_PARTS))
    throw new PartError(`${text || 'nothing'} is no part of a window`)
  return part
}
