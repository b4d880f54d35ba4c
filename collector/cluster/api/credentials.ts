/** What the user of a kubeconfig gets in with. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { certificateTextFault, keyTextFault } from '../../certificate.ts'
import { type Json, text } from '../json.ts'

const REMEDY = 'give a token (kubectl create token) or a client certificate'
const OF_ANOTHER = 'give a token of the account itself'
/** What would ask as somebody else: without it the answer is another one. */
const REFUSED = {
  ...{ exec: REMEDY, 'auth-provider': REMEDY, username: REMEDY },
  ...{ as: OF_ANOTHER, 'as-uid': OF_ANOTHER, 'as-groups': OF_ANOTHER, 'as-user-extra': OF_ANOTHER },
} as const

interface Credentials {
  /** '' where there is none. */
  readonly token: string
  /** PEM; both or neither. */
  readonly cert?: string
  readonly key?: string
}

/** @throws what is wrong, and what is to be there */
export function credentialsOf(user: Json, directory: string): Credentials {
  refuse(user, REFUSED)
  const token = tokenOf(user, directory)
  const cert = dataOf(user, 'client-certificate', directory)
  const key = dataOf(user, 'client-key', directory)
  if ((cert === undefined) !== (key === undefined))
    throw new Error(
      `client-${cert === undefined ? 'certificate' : 'key'} is missing: the two belong together`,
    )
  if (cert === undefined || key === undefined) return { token }
  throwFault(
    certificateTextFault(cert, 'client-certificate') ??
      keyTextFault(key, cert, 'client-key', 'client-certificate'),
  )
  return { token, cert, key }
}

/** Of both, the file's: it is renewed. */
function tokenOf(user: Json, directory: string): string {
  const file = text(user['tokenFile'])
  const given = user['token'] ?? ''
  if (typeof given !== 'string') throw new Error('token is no text: put it in quotes')
  const token = (file === '' ? given : read('tokenFile', resolve(directory, file))).trim()
  const where = file === '' ? 'token' : `tokenFile ${file}`
  if (file !== '' && token === '') throw new Error(`${where} is empty`)
  // RFC 9110, 5.5: a field of HTTP
  if (/[^\x21-\x7e]/.test(token))
    throw new Error(`${where} has a blank, a line break or another character that no token has`)
  return token
}

/** @param refused what is to be there instead, by the name of what is refused */
export function refuse(from: Json, refused: Readonly<Record<string, string>>): void {
  const isGiven = (value: unknown) => value !== undefined && value !== null && value !== false && value !== ''
  const name = Object.keys(refused).find(name => isGiven(from[name]))
  if (name !== undefined) throw new Error(`${name} is not supported: ${refused[name]}`)
}

export function throwFault(fault: string | undefined): void {
  if (fault !== undefined) throw new Error(fault)
}

/** In the file, or in one of its own beside it. */
export function dataOf(from: Json, name: string, directory: string): string | undefined {
  const inline = text(from[`${name}-data`])
  if (inline !== '') return Buffer.from(inline, 'base64').toString()
  const file = text(from[name])
  return file === '' ? undefined : read(name, resolve(directory, file))
}

function read(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new Error(`${name} ${path} cannot be read (${(error as NodeJS.ErrnoException).code})`)
  }
}
