/** Text that a person gave: one rule for flags, variables, files of secrets and YAML. */

import { closeSync, openSync, readSync } from 'node:fs'
import { SettingError } from './settings.ts'

/** A settings file or a secret is smaller; /dev/zero is not. */
const MAX_BYTES = 2 ** 20

/** Characters that nobody sees: control (Cc) and format (Cf) characters, and the line separators. */
const INVISIBLE = /[\p{Cc}\p{Cf}\u2028\u2029]/u
/** Quotes that a word processor or a web page has made. */
const TYPOGRAPHIC = /^[“”„‟‘’‚‛«»‹›]|[“”„‟‘’‚‛«»‹›]$/u
const IN_QUOTES = /^(["'`]).*\1$/s

/** Without what an editor on Windows leaves: a byte-order mark in front, line ends behind; and without blanks around, which belong to a secret. */
export function cut(
  text: string,
  { secret = false }: { readonly secret?: boolean | undefined } = {},
): string {
  const line = text.replace(/^\ufeff/, '').replace(/[\r\n]+$/, '')
  return secret ? line : line.replace(/^[ \t\u00a0]+|[ \t\u00a0\r\n]+$/g, '')
}

/**
 * What is wrong with a text whatever its setting; the text itself is not repeated, as it may be a secret.
 * @param yaml straight quotes are syntax there: one that is left over was meant
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

function readUpTo(path: string, most: number): Buffer {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(most)
    let length = 0
    while (length < most) {
      const read = readSync(file, buffer, length, most - length, null)
      if (read === 0) break
      length += read
    }
    return buffer.subarray(0, length)
  } finally {
    closeSync(file)
  }
}
