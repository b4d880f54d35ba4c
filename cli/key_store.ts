/** The directory of keys: who may read what is in it, and how it changes. */

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { generateKeys, isKey } from '../wire/link/key.ts'
import {
  ALLOWED,
  COLLECTOR_PUBLIC,
  PROBE_PUBLIC,
  readListed,
  readPublic,
  secretPath,
} from '../wire/link/key_files.ts'
import { COLLECTOR_USER, PROBE_USER, uidOf } from '../wire/link/users.ts'

export type Program = 'collector' | 'probe'

const SECRET_MODE = 0o600
const PUBLIC_MODE = 0o644
const DIRECTORY_MODE = 0o755
const PUBLIC: Readonly<Record<Program, string>> = { collector: COLLECTOR_PUBLIC, probe: PROBE_PUBLIC }
const USER: Readonly<Record<Program, string>> = { collector: COLLECTOR_USER, probe: PROBE_USER }
const NEW = '.new'

export interface Generating {
  readonly host: string
  readonly force?: boolean
  readonly stage?: boolean
}

/** @returns what was done and what comes next, in lines */
export function generate(directory: string, program: Program, { host, force, stage }: Generating): string[] {
  const behind = stage ? NEW : ''
  const secret = `${secretPath(directory, program)}${behind}`
  const open = `${join(directory, PUBLIC[program])}${behind}`
  if (existsSync(secret) && !force)
    throw new Error(
      `${secret} is there already: sockflux keys show prints its public key; --stage makes the next one beside it`,
    )
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
  const { publicKey, secretKey } = generateKeys()
  const owner = process.getuid?.() === 0 ? uidOf(USER[program]) : undefined
  write(open, `${program === 'probe' ? `${host} ` : ''}${publicKey}\n`, PUBLIC_MODE)
  write(
    secret,
    `# the secret key of the ${program === 'probe' ? `probe of ${host}` : 'collector'}: nobody else may read it\n${secretKey}\n`,
    SECRET_MODE,
    owner,
  )
  const whose = owner === undefined ? '' : ` (it belongs to user ${USER[program]})`
  return [`${secret} is made${whose}.`, ...next(program, host, publicKey, directory)]
}

const next = (program: Program, host: string, key: string, directory: string): string[] =>
  program === 'probe'
    ? ["Next, on the collector's machine:", `  sockflux keys allow '${host}' ${key}`]
    : [`Next, on each probe's machine: add this line to ${join(directory, COLLECTOR_PUBLIC)}`, `  ${key}`]

/** The public keys that are here. */
export function shown(directory: string): string[] {
  const lines = [
    ...section(`the collector's key, for ${COLLECTOR_PUBLIC} of probes:`, () =>
      readPublic(join(directory, COLLECTOR_PUBLIC)),
    ),
    ...section("the probe's key, for the collector's machine:", () =>
      readListed(join(directory, PROBE_PUBLIC)).map(
        ({ host, key }) => `sockflux keys allow '${host}' ${key}`,
      ),
    ),
    ...section('allowed:', () =>
      readListed(join(directory, ALLOWED)).map(({ host, key }) => `${host} ${key}`),
    ),
  ]
  return lines.length > 0 ? lines : [`no keys in ${directory}: make one with sockflux keys generate`]
}

function section(title: string, read: () => string[]): string[] {
  try {
    return [title, ...read().map(line => `  ${line}`)]
  } catch (error) {
    if (/^there is no/.test((error as Error).message)) return []
    throw error
  }
}

export function allow(directory: string, host: string, key: string): string[] {
  if (!isKey(key))
    throw new Error(
      `${key} is not a public key, which has 64 hexadecimal digits: sockflux keys show prints it`,
    )
  const path = list(directory)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const known = existsSync(path) ? readListed(path) : []
  if (known.some(listed => listed.host === host && listed.key === key))
    return [`${host} is allowed with this key already.`]
  mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE })
  write(path, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${host} ${key}\n`, PUBLIC_MODE)
  const others = known.filter(listed => listed.host === host).length
  const also =
    others > 0 ? [`It has ${others + 1} keys now: withdraw the old one when the probe uses the new one.`] : []
  return [`${host} is allowed with this key, within a second.`, ...also]
}

export function withdraw(directory: string, what: string): string[] {
  const path = list(directory)
  const text = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const lines = text.split('\n')
  const left = lines.filter(line => {
    const [, host, key] = /^\s*([^#\s].*?)\s+(\S+)\s*$/.exec(line) ?? []
    return host === undefined || (host !== what && key !== what)
  })
  const count = lines.length - left.length
  if (count === 0)
    throw new Error(`${path} lists no host or key ${what}: sockflux keys show prints what it lists`)
  write(path, left.join('\n'), PUBLIC_MODE)
  return [`${count} ${count === 1 ? 'line is' : 'lines are'} withdrawn, within a second.`]
}

/** @throws when it is a directory, whose files are somebody else's to change */
function list(directory: string): string {
  const path = join(directory, ALLOWED)
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory())
    throw new Error(`${path} is a directory: add or remove a file there, with lines of a host and its key`)
  return path
}

/** At once or not at all: the other programs read it at any time. Keeps the owner of a file that is there. */
function write(path: string, text: string, mode: number, owner?: number): void {
  const present = statSync(path, { throwIfNoEntry: false })
  const temporary = `${path}.${process.pid}~`
  try {
    writeFileSync(temporary, text, { mode: SECRET_MODE, flag: 'wx', flush: true })
    chmodSync(temporary, mode)
    if (owner !== undefined) chownSync(temporary, owner, -1)
    else if (present && process.getuid?.() === 0) chownSync(temporary, present.uid, present.gid)
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw new Error(
      `cannot write ${path} (${(error as NodeJS.ErrnoException).code}): run this as root, or give another --keys`,
    )
  }
}
