/**
 * Keys of the link between probe and collector: X25519, as ZeroMQ's CURVE uses them (rfc.zeromq.org/spec/26). In files and on
 * command lines a key is 64 hexadecimal digits: ZeroMQ's own form, Z85, has `#`, `$`, `!` and `&`, which shells read.
 */

import {
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'

export interface KeyPair {
  readonly publicKey: string
  readonly secretKey: string
}

const KEY_BYTES = 32
/** What stands before the 32 bytes in DER: RFC 8410, 4 and 7. */
const SPKI = Buffer.from('302a300506032b656e032100', 'hex')
const PKCS8 = Buffer.from('302e020100300506032b656e04220420', 'hex')

export const isKey = (text: string): boolean => /^[0-9a-f]{64}$/.test(text)

/** @param key 32 bytes, as ZAP has them */
export const keyOf = (key: Buffer): string | undefined =>
  key.length === KEY_BYTES ? key.toString('hex') : undefined

export function generateKeys(): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('x25519')
  return {
    publicKey: rawOf(publicKey.export({ format: 'der', type: 'spki' })),
    secretKey: rawOf(privateKey.export({ format: 'der', type: 'pkcs8' })),
  }
}

/** @param secretKey 64 hexadecimal digits */
export function keyPairOf(secretKey: string): KeyPair {
  const publicKey = createPublicKey(privateOf(secretKey)).export({ format: 'der', type: 'spki' })
  return { publicKey: rawOf(publicKey), secretKey }
}

/**
 * The same 32 bytes for both ends, and for nobody else.
 * @throws for a key that is no point of use: all zeros, for example
 */
export const sharedSecret = ({ secretKey }: KeyPair, publicKey: string): Buffer =>
  diffieHellman({
    privateKey: privateOf(secretKey),
    publicKey: createPublicKey({
      key: Buffer.concat([SPKI, Buffer.from(publicKey, 'hex')]),
      format: 'der',
      type: 'spki',
    }),
  })

const privateOf = (secretKey: string): KeyObject =>
  createPrivateKey({
    key: Buffer.concat([PKCS8, Buffer.from(secretKey, 'hex')]),
    format: 'der',
    type: 'pkcs8',
  })

const rawOf = (der: Buffer): string => der.subarray(-KEY_BYTES).toString('hex')

/** rfc.zeromq.org/spec/32 */
const DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'

/** A key as ZeroMQ takes it: 40 characters. */
export function z85(key: string): string {
  const bytes = Buffer.from(key, 'hex')
  let text = ''
  for (let at = 0; at < bytes.length; at += 4) {
    const word = bytes.readUInt32BE(at)
    for (let power = 85 ** 4; power >= 1; power /= 85) text += DIGITS[Math.floor(word / power) % 85]
  }
  return text
}
