/** UIDs of Kubernetes: RFC 9562, in sixteen bytes; all zero for what has none. */

const BYTES = 16

/** Also without its hyphens, as the UID of a static pod is. */
export function uuidBytes(uid: string): Uint8Array {
  const digits = uid.replaceAll('-', '')
  return /^[\da-f]{32}$/i.test(digits) ? Buffer.from(digits, 'hex') : Buffer.alloc(BYTES)
}

export const uuidText = (uid: string): string =>
  Buffer.from(uuidBytes(uid))
    .toString('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
