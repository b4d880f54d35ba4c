/**
 * Who uses a directory: a process that listens on a socket in it. The kernel closes it with the process, however that
 * ends; and it is seen from every namespace of pids and of networks, where a number of a process or an abstract socket
 * is not.
 */

import { once } from 'node:events'
import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { connect, createServer } from 'node:net'

export const OWNER = 'owner'

/** The path of a socket has at most 107 bytes, that of a directory has more: `unix(7)`. */
const socketIn = (directory: FileHandle): string => `/proc/self/fd/${directory.fd}/${OWNER}`

/**
 * @param directory without an owner
 * @returns gives it back
 */
export async function own(directory: string): Promise<() => Promise<void>> {
  const handle = await open(directory)
  const server = createServer(socket => socket.destroy())
  try {
    server.listen(socketIn(handle))
    await once(server, 'listening')
  } catch (error) {
    await handle.close()
    throw error
  }
  server.on('error', () => {}) // no descriptor to accept with: whoever asks is connected all the same
  server.unref()
  return async () => {
    // it removes the socket by the path, so the directory is closed behind it
    await new Promise(resolve => server.close(resolve))
    await handle.close()
  }
}

/** Whether its owner lives; true also when that cannot be told. */
export async function isOwned(directory: string): Promise<boolean> {
  const handle = await open(directory, constants.O_RDONLY | constants.O_DIRECTORY)
  const socket = connect(socketIn(handle))
  try {
    await once(socket, 'connect')
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== 'ECONNREFUSED' && code !== 'ENOENT'
  } finally {
    socket.destroy()
    await handle.close()
  }
}
