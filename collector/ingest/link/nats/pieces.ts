/** What is known of a partition as values of a bucket: a head that names the pieces, and the pieces, as a value has at most 1 MiB. */

import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import type { KV } from '@nats-io/kv'
import type { Saved } from './positions.ts'

export const VERSION = 1
const PIECE_BYTES = 500_000
const MAX_BYTES = 512 * 2 ** 20
const compress = promisify(zstdCompress)
const decompress = promisify(zstdDecompress)
const params = { [constants.ZSTD_c_compressionLevel]: 1 }

export interface Head {
  readonly version: number
  /** Collector that wrote it. */
  readonly by: string
  /** Of the pieces, in their keys. */
  readonly generation: string
  readonly pieces: number
  /** A snapshot has these pieces, too. */
  readonly isKept?: boolean
}

export const headKey = (partition: number): string => `p.${partition}`

const pieceKey = (partition: number, generation: string, index: number): string =>
  `p.${partition}.${generation}.${index}`

/** @returns the generation of a piece's key */
export const generationOf = (key: string): string | undefined => /^p\.\d+\.([^.]+)\.\d+$/.exec(key)?.[1]

/** @throws for a head of another version */
export function headIn(json: unknown): Head {
  const head = json as Head
  if (head.version !== VERSION)
    throw new Error(`it is of version ${head.version}, this collector knows ${VERSION}`)
  return head
}

/** @returns how many pieces they are */
export async function writePieces(
  bucket: KV,
  partition: number,
  generation: string,
  saved: Saved,
): Promise<number> {
  const bytes = await compress(JSON.stringify(saved), { params })
  const pieces = Math.max(1, Math.ceil(bytes.length / PIECE_BYTES))
  for (let index = 0; index < pieces; index++)
    await bucket.put(
      pieceKey(partition, generation, index),
      bytes.subarray(index * PIECE_BYTES, (index + 1) * PIECE_BYTES),
    )
  return pieces
}

/** @throws when a piece is missing or damaged */
export async function readPieces(
  bucket: KV,
  partition: number,
  { generation, pieces }: Head,
): Promise<Saved> {
  const read: Uint8Array[] = []
  for (let index = 0; index < pieces; index++) {
    const entry = await bucket.get(pieceKey(partition, generation, index))
    if (entry?.operation !== 'PUT') throw new Error(`piece ${index + 1} of ${pieces} is not there`)
    read.push(entry.value)
  }
  const text = await decompress(Buffer.concat(read), { maxOutputLength: MAX_BYTES })
  return JSON.parse(text.toString()) as Saved
}

export async function purgePieces(
  bucket: KV,
  partition: number,
  { generation, pieces }: Head,
): Promise<void> {
  for (let index = 0; index < pieces; index++) await bucket.purge(pieceKey(partition, generation, index))
}
