/** A unix socket that only its owner may open. */

import { lstatSync, rmSync } from 'node:fs'
import { connect } from 'node:net'

const OWNER_ONLY = 0o177

/** bind(2) takes the mode from the umask: a chmod afterwards would leave a gap. @param listen binds before it returns */
export function ownerOnly(listen: () => void): void {
  const umask = process.umask(OWNER_ONLY)
  try {
    listen()
  } finally {
    process.umask(umask)
  }
}

/**
 * Remove the socket of a process that died.
 * @throws when another process answers at the path, or something else than a socket is there
 */
export async function makeRoom(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return
  if (!stat.isSocket()) throw new Error(`${path} is not a socket: remove it or give another path`)
  if (await answers(path))
    throw new Error(`another collector answers at ${path}: stop it or give this one another socket`)
  rmSync(path, { force: true })
}

async function answers(path: string): Promise<boolean> {
  const socket = connect(path)
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.on('connect', () => resolve(true)).on('error', () => resolve(false))
  return promise.finally(() => socket.destroy())
}
