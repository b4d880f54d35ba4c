/**
 * All objects of a kind, and every change of them (Kubernetes API concepts, Efficient detection of changes): a list in pages,
 * then a watch from the list's version on. A watch that ends goes on from the last version, which bookmarks keep young; a version
 * that the server has no longer (410 Gone), or not yet (it was restored from a backup), begins with a list again.
 */

import { setTimeout as pause } from 'node:timers/promises'
import type { Receiver } from '../held/held.ts'
import { elements, member, number, record, text } from '../json.ts'
import { KINDS, type Kind } from '../kinds.ts'
import { getDocument, getLines, OddAnswerError, RefusedError } from './requests.ts'
import type { Server } from './server.ts'

/** Objects of a page. */
const PAGE = 500
const MAX_PAGES = 2000
/** Versions that are no good to a server: gone, none of its own, not there yet. The last two may pass, and do not when it has lost some. */
const [GONE, NONE_OF_ITS, NOT_YET] = [410, 400, 504]
/** What has to do with us, or with the server as a whole: Unauthorized, Forbidden, Too Many Requests, and what is away. */
const PATIENT = [401, 403, 408, 429, 502, 503]
/** Answers that were none, in a row: a server that was restored from a backup does not know our version, and others say so otherwise. */
const MAX_DOUBTS = 3

export interface Times {
  /** A watch is ended by the server after so many seconds, and by us when it did not. */
  readonly watchS: number
  /** Between attempts: the first, and the longest. */
  readonly firstMs: number
  readonly mostMs: number
}
export const TIMES: Times = { watchS: 300, firstMs: 1000, mostMs: 30_000 }

/** The server no longer has the version that we are at, or has lost it. */
class ExpiredError extends Error {}

const isExpired = (error: Error): boolean =>
  error instanceof ExpiredError ||
  (error instanceof RefusedError &&
    (error.status === GONE ||
      error.status === NONE_OF_ITS ||
      (error.status === NOT_YET && /resource version/i.test(error.message))))

/** Versions are numbers that only rise (KEP-5504); of any others nothing is known. */
const isBefore = (version: string, other: string | undefined): boolean =>
  other !== undefined && [version, other].every(one => /^\d+$/.test(one)) && BigInt(version) < BigInt(other)

export interface Report {
  /** It was listed, or not, for the first time. */
  tried(): void
  /** @param afterMs when it is asked next */
  failed(kind: Kind, error: Error, afterMs: number): void
}

export class Follower {
  readonly #kind: Kind
  readonly #server: Server
  readonly #into: Receiver
  readonly #report: Report
  readonly #times: Times
  /** Of the last object or bookmark; undefined: it begins with a list. */
  #version: string | undefined
  #failures = 0
  #doubts = 0
  #isTried = false

  constructor(kind: Kind, server: Server, into: Receiver, report: Report, times = TIMES) {
    this.#kind = kind
    this.#server = server
    this.#into = into
    this.#report = report
    this.#times = times
  }

  /** Until it is aborted; it never throws. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const began = performance.now()
      try {
        if (this.#version === undefined) await this.#list(signal)
        this.#tried()
        if (!(await this.#watch(signal))) await this.#checkVersion(signal)
        // one that ends at once is no answer: it would be asked without a pause
        if (performance.now() - began < this.#times.firstMs)
          await pause(this.#times.firstMs, null, { signal })
        else this.#isWell()
      } catch (error) {
        this.#tried()
        if (signal.aborted) return
        await this.#wait(error as Error, signal)
      }
    }
  }

  #tried(): void {
    if (!this.#isTried) this.#report.tried()
    this.#isTried = true
  }

  async #wait(error: Error, signal: AbortSignal): Promise<void> {
    if (isDoubtful(error)) this.#doubts++
    const isAgain = isExpired(error)
    if (isAgain || this.#doubts >= MAX_DOUBTS) {
      this.#version = undefined
      this.#doubts = 0
    }
    const { firstMs, mostMs } = this.#times
    const longer = Math.min(firstMs * 2 ** this.#failures++, mostMs)
    const asked = error instanceof RefusedError ? error.afterMs : 0
    const afterMs = Math.max(asked, longer * (0.5 + Math.random() / 2))
    // with many collectors, and after a restart of the server, it is normal once
    if (!isAgain || this.#failures > 1) this.#report.failed(this.#kind, error, afterMs)
    await pause(afterMs, null, { signal }).catch(() => {})
  }

  async #list(signal: AbortSignal): Promise<void> {
    this.#into.beginList(this.#kind)
    let next = ''
    for (let page = 0; page < MAX_PAGES; page++) {
      const query = { limit: String(PAGE), ...(next !== '' && { continue: next }) }
      const listed = await getDocument(this.#server.access(), {
        ...{ path: this.#path(query), accept: this.#accept('PartialObjectMetadataList'), signal },
      })
      const { resourceVersion, continue: token } = member(listed, 'metadata')
      const version = text(resourceVersion)
      if (version === '') throw new Error('the answer is no list: it has no resourceVersion')
      for (const object of elements(record(listed)['items'])) this.#into.set(this.#kind, object, Date.now())
      next = text(token)
      if (next !== '') continue
      this.#into.endList(this.#kind, Date.now())
      this.#version = version
      return
    }
    throw new Error(`the list has more than ${MAX_PAGES} pages of ${PAGE}`)
  }

  /** @returns whether it has said anything */
  async #watch(signal: AbortSignal): Promise<boolean> {
    const seconds = Math.ceil(this.#times.watchS * (0.8 + Math.random() / 5))
    const path = this.#path({
      ...{ watch: '1', allowWatchBookmarks: 'true', timeoutSeconds: String(seconds) },
      resourceVersion: this.#version!,
    })
    const asked = { path, accept: this.#accept('PartialObjectMetadata'), signal }
    let said = false
    await getLines(this.#server.access(), asked, (seconds + 15) * 1000, event => {
      said = true
      this.#event(record(event))
    })
    return said
  }

  #isWell(): void {
    this.#failures = 0
    this.#doubts = 0
  }

  /**
   * A watch that said nothing, not even a bookmark, may be of a version that the server has lost: it holds back what is older, and
   * that is everything.
   */
  async #checkVersion(signal: AbortSignal): Promise<void> {
    const path = this.#path({ limit: '1' })
    const asked = { path, accept: this.#accept('PartialObjectMetadataList'), signal }
    const listed = await getDocument(this.#server.access(), asked)
    this.#notBefore(text(member(listed, 'metadata')['resourceVersion']))
  }

  /** @throws when the server's versions went back, as they do when it is restored from a backup */
  #notBefore(version: string): void {
    if (isBefore(version, this.#version))
      throw new ExpiredError(`its version is ${version}, and was ${this.#version}: it has lost changes`)
  }

  #event({ type, object }: Readonly<Record<string, unknown>>): void {
    if (type === 'ERROR') {
      const { code, message } = record(object)
      if (number(code) === GONE) throw new ExpiredError(text(message))
      throw new RefusedError(number(code), text(message))
    }
    const version = text(member(object, 'metadata')['resourceVersion'])
    // old servers give what is deleted with the version that it had
    if (type !== 'DELETED') this.#notBefore(version)
    if (type === 'ADDED' || type === 'MODIFIED') this.#into.set(this.#kind, object, Date.now())
    else if (type === 'DELETED') this.#into.remove(this.#kind, object, Date.now())
    // BOOKMARK: its version is all that it has
    if (version === '' || version === this.#version || isBefore(version, this.#version)) return
    this.#version = version
    this.#isWell()
  }

  #path(query: Readonly<Record<string, string>>): string {
    const { group, resource } = KINDS[this.#kind]
    const root = group.includes('/') ? 'apis' : 'api'
    return `/${root}/${group}/${resource}?${new URLSearchParams(query)}`
  }

  /** Of some kinds the metadata is enough: a ReplicaSet has the whole template of its pods. */
  #accept(as: string): string {
    const { isMetadata } = KINDS[this.#kind]
    return isMetadata ? `application/json;as=${as};g=meta.k8s.io;v=v1,application/json` : 'application/json'
  }
}

function isDoubtful(error: Error): boolean {
  if (error instanceof RefusedError) return !PATIENT.includes(error.status)
  return error instanceof OddAnswerError
}
