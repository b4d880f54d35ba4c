/** Passwords and tokens that the set-up makes: a file each, readable by its owner only. */

import { randomBytes } from 'node:crypto'
import { closeSync, fchmodSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { makeDirectory } from '../../../collector/directory.ts'

/** The two logins, and what each may do. */
export const ROLES = [
  { role: 'writer', right: 'write', use: 'the collector' },
  { role: 'reader', right: 'read', use: 'Grafana' },
] as const
export type Role = (typeof ROLES)[number]

const BYTES = 24
export const newSecret = (): string => randomBytes(BYTES).toString('base64url')

export const fileOf = (directory: string, { role }: Role, kind: 'password' | 'token'): string =>
  join(directory, `${role}.${kind}`)

/** @returns undefined if there is no such file. @throws with the remedy */
export function readSecret(path: string): string | undefined {
  let secret: string
  try {
    secret = readFileSync(path, 'utf8').trimEnd()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    throw new Error(`--credentials: cannot read ${path} (${code}): correct the directory or its permissions`)
  }
  if (secret === '') throw new Error(`--credentials: ${path} is empty: remove it, and a new one is made`)
  return secret
}

/**
 * A new file with mode 0600, opened before its content is known: a secret that exists once has its place.
 * @throws with the remedy; a file that is there is not written over
 */
export function openSecret(directory: string, path: string): { write(secret: string): void; drop(): void } {
  makeDirectory(directory, '--credentials', 0o700)
  let file: number
  try {
    file = openSync(path, 'wx', 0o600)
    fchmodSync(file, 0o600)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Error(`--credentials: cannot make ${path} (${code}): correct the directory or its permissions`)
  }
  return {
    write(secret) {
      writeSync(file, `${secret}\n`)
      closeSync(file)
    },
    drop() {
      closeSync(file)
      rmSync(path, { force: true })
    },
  }
}
