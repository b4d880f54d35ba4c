/** Text from the user: one rule for flags, variables, files of secrets and YAML. */

import { closeSync, openSync, readSync } from 'node:fs'
import { SettingError } from './settings.ts'

/** Bound of a settings file or a secret; /dev/zero has no end. */
const MAX_BYTES = 2 ** 20

/** Invisible characters: control (Cc) and format (Cf) characters, and the line separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u
/** Typographic quotes of word processors and web pages. */
const TYPOGRAPHIC = /^[“”„‟‘’‚‛«»‹›]|[“”„‟‘’‚‛«»‹›]$/u
const IN_QUOTES = /^(["'`]).*\1$/s

/** Removes the byte-order mark and line ends of Windows editors, and surrounding blanks; a secret keeps its blanks. */
export function cut(
  text: string,
  { secret = false }: { readonly secret?: boolean | undefined } = {},
): string {
  const line = text.replace(/^\ufeff/, '').replace(/[\r\n]+$/, '')
  return secret ? line : line.replace(/^[ \t\u00a0]+|[ \t\u00a0\r\n]+$/g, '')
}

/**
 * What is wrong with a text, for any setting. The text itself is not repeated: it may be a secret.
 * @param yaml straight quotes are syntax in YAML: those that remain are part of the value
 */
export function faultOf(text: string, yaml: boolean): string | undefined {
  const invisible = INVISIBLE.exec(text)
  if (invisible) return `has the invisible character ${codePoint(invisible[0])}: remove it`
  if (TYPOGRAPHIC.test(text)) return 'begins or ends with a typographic quote: remove it'
  if (!yaml && text.length > 1 && IN_QUOTES.test(text))
    return 'is in quotes, which are part of the value here: remove them'
  return undefined
}

export const codePoint = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`

/** @throws {SettingError} with `where` and the path */
export function readText(path: string, where: string): string {
  let bytes: Buffer
  try {
    bytes = readUpTo(path, MAX_BYTES + 1)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new SettingError(`${where}: cannot read ${path} (${code}): correct the path or its permissions`)
  }
  if (bytes.length > MAX_BYTES)
    throw new SettingError(`${where}: ${path} is larger than 1 MiB: give the file with the settings`)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new SettingError(`${where}: ${path} is not UTF-8 text: save it as UTF-8`)
  }
}

function readUpTo(path: string, max: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(max)
    let length = 0
    while (length < max) {
      const read = readSync(file, buffer, length, max - length, null)
      if (read === 0) break
      length += read
    }
    return buffer.subarray(0, length)
  } finally {
    closeSync(file)
  }
}
