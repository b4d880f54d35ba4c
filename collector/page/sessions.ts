/** Who may look at the page: sessions, each made from a link. They survive a restart; the file has their digests alone. */

import { readFileSync } from 'node:fs'
import { rename, writeFile } from 'node:fs/promises'
import { BoundedMap } from '../../wire/bounded_map.ts'
import { digestOf, isSecret, newSecret } from './links.ts'

/** One more ends the one that was used longest ago. */
const MAX_SESSIONS = 32
/** Since its last use, and since it began. */
const IDLE_MS = 12 * 3_600_000
const MAX_MS = 7 * 24 * 3_600_000
/** The file says when a session was used last, no more exactly than this. */
const SAVED_MS = 60_000
const VERSION = 1

export interface Session {
  readonly digest: Buffer
  /** Milliseconds since the epoch. */
  readonly began: number
  used: number
}

export class Sessions {
  readonly #byDigest = new BoundedMap<string, Session>(MAX_SESSIONS)
  readonly #path: string | undefined
  readonly #now: () => number
  #saving: Promise<void> = Promise.resolve()

  /**
   * @param path of the file; undefined: they end with the process
   * @param now milliseconds since the epoch, also after a restart
   */
  constructor(path: string | undefined, now: () => number = Date.now) {
    this.#path = path
    this.#now = now
    for (const session of this.#load()) this.#add(session)
    this.expire()
  }

  get size(): number {
    return this.#byDigest.size
  }

  /** @returns its secret, for the cookie */
  begin(): string {
    const secret = newSecret()
    const now = this.#now()
    this.#add({ digest: digestOf(secret), began: now, used: now })
    this.#save()
    return secret
  }

  /** Takes as long for one that is known as for one that is not. */
  find(secret: string): Session | undefined {
    let found: Session | undefined
    for (const session of this.#byDigest.values()) if (isSecret(session.digest, secret)) found = session
    return found && this.use(found) ? found : undefined
  }

  /** It is looked at now. @returns whether it is still there */
  use(session: Session): boolean {
    this.expire()
    if (this.#byDigest.peek(keyOf(session)) !== session) return false
    const isOld = this.#now() - session.used > SAVED_MS
    session.used = this.#now()
    this.#add(session) // it goes to the end
    if (isOld) this.#save()
    return true
  }

  expire(): void {
    const now = this.#now()
    for (const [key, { began, used }] of this.#byDigest)
      if (now - used > IDLE_MS || now - began > MAX_MS || began > now + SAVED_MS) this.#byDigest.delete(key)
  }

  /** The last write of the file. */
  close(): Promise<void> {
    return this.#saving
  }

  #add(session: Session): void {
    this.#byDigest.set(keyOf(session), session)
  }

  #load(): Session[] {
    if (this.#path === undefined) return []
    try {
      const saved = JSON.parse(readFileSync(this.#path, 'utf8')) as { version: unknown; sessions: unknown[] }
      return saved.version === VERSION ? saved.sessions.flatMap(sessionOf) : []
    } catch {
      return [] // none was saved, or not by us: a new link is needed
    }
  }

  #save(): void {
    const path = this.#path
    if (path === undefined) return
    this.#saving = this.#saving.then(async () => {
      const sessions = [...this.#byDigest].map(([digest, { began, used }]) => ({ digest, began, used }))
      try {
        await writeFile(`${path}.new`, `${JSON.stringify({ version: VERSION, sessions })}\n`, { mode: 0o600 })
        await rename(`${path}.new`, path)
      } catch {
        // without a disk they end with the process; the spool says what is wrong with it
      }
    })
  }
}

const keyOf = ({ digest }: Session): string => digest.toString('base64url')

function sessionOf(saved: unknown): Session[] {
  const { digest, began, used } = (saved ?? {}) as Record<string, unknown>
  if (typeof digest !== 'string' || typeof began !== 'number' || typeof used !== 'number') return []
  const bytes = Buffer.from(digest, 'base64url')
  return bytes.length === 32 ? [{ digest: bytes, began, used }] : []
}
