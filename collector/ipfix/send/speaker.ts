/** What is sent, in which pieces: IPFIX messages, templates first, or records as lines of JSON. */

import { dataMessage, HEADER_BYTES, SET_BYTES, templateMessage } from '../format/message.ts'
import type { Template } from '../format/templates.ts'
import type { Encoded, Waiting } from './waiting.ts'

/** A message, and the records in it. */
export interface Piece {
  readonly bytes: Buffer
  readonly records: readonly Encoded[]
  /** To be called when it has been sent. */
  readonly sent?: () => void
}

export interface Speaker {
  /** A connection is new: what the receiver has to know first. @param seconds since the epoch */
  greet(seconds: number): Piece[]
  /** What has to be said again by now, whether or not there are records. */
  again(seconds: number): Piece[]
  /** Takes records as far as they fit into one message; what the receiver has to know before them goes first. */
  next(waiting: Waiting, seconds: number): Piece[]
}

interface Domain {
  readonly id: number
  /** Data records sent before. */
  sequence: number
  /** Seconds since the epoch; the receiver of this connection has its templates since then. */
  toldAt: number | undefined
}

export interface IpfixOptions {
  readonly templates: readonly Template[]
  /** Domains whose templates are sent at once, before they have a record; those of others go before their records. */
  readonly domains: readonly number[]
  /** Bytes. */
  readonly maxMessage: number
  /** A connection is a stream of its own and begins at 0; or sequences go on: UDP. */
  readonly isStream: boolean
  /** Seconds after which templates are sent again; undefined: once a connection. */
  readonly refreshS: number | undefined
}

/** Nodes whose records one connection has; of more the oldest begins anew. */
const MAX_DOMAINS = 8192

export class IpfixSpeaker implements Speaker {
  readonly #options: IpfixOptions
  readonly #domains = new Map<number, Domain>()

  constructor(options: IpfixOptions) {
    this.#options = options
    for (const id of options.domains) this.#domain(id)
  }

  greet(seconds: number): Piece[] {
    for (const domain of this.#domains.values()) {
      domain.toldAt = undefined
      if (this.#options.isStream) domain.sequence = 0
    }
    return this.again(seconds)
  }

  again(seconds: number): Piece[] {
    return this.#options.domains.flatMap(id => this.#templates(this.#domain(id), seconds))
  }

  next(waiting: Waiting, seconds: number): Piece[] {
    const { first } = waiting
    if (first === undefined) return []
    const domain = this.#domain(first.domain)
    const records = [waiting.take()]
    let room = this.#options.maxMessage - HEADER_BYTES - SET_BYTES - first.bytes.length
    for (let more = waiting.first; more !== undefined; more = waiting.first) {
      const isSame = more.domain === first.domain && more.template === first.template
      if (!isSame || more.bytes.length > room) break
      room -= more.bytes.length
      records.push(waiting.take())
    }
    const templates = this.#templates(domain, seconds)
    const head = { time: seconds, sequence: domain.sequence, domain: domain.id }
    const bytes = dataMessage(
      head,
      first.template,
      records.map(({ bytes }) => bytes),
    )
    // what could not be sent is put back, and uses no number
    const sent = () => {
      domain.sequence = (domain.sequence + records.length) % 2 ** 32
    }
    return [...templates, { bytes, records, sent }]
  }

  /** Those that the receiver has not, or not any more. */
  #templates(domain: Domain, seconds: number): Piece[] {
    const { templates, refreshS } = this.#options
    const isOld = refreshS !== undefined && seconds - (domain.toldAt ?? 0) >= refreshS
    if (domain.toldAt !== undefined && !isOld) return []
    domain.toldAt = seconds
    const head = { time: seconds, sequence: domain.sequence, domain: domain.id }
    return templates.map(template => ({ bytes: templateMessage(head, template), records: [] }))
  }

  #domain(id: number): Domain {
    let domain = this.#domains.get(id)
    if (!domain) {
      domain = { id, sequence: 0, toldAt: undefined }
      this.#domains.set(id, domain)
      const [oldest] = this.#domains.keys()
      if (this.#domains.size > MAX_DOMAINS) this.#domains.delete(oldest!)
    }
    return domain
  }
}

/** A record, as it is encoded, is a line. */
export class JsonSpeaker implements Speaker {
  readonly #maxMessage: number

  /** @param maxMessage bytes; a datagram has one record */
  constructor(maxMessage: number) {
    this.#maxMessage = maxMessage
  }

  greet(): Piece[] {
    return []
  }

  again(): Piece[] {
    return []
  }

  next(waiting: Waiting): Piece[] {
    if (waiting.first === undefined) return []
    const records = [waiting.take()]
    let room = this.#maxMessage - records[0]!.bytes.length
    for (let more = waiting.first; more !== undefined && more.bytes.length <= room; more = waiting.first) {
      room -= more.bytes.length
      records.push(waiting.take())
    }
    return [{ bytes: Buffer.concat(records.map(({ bytes }) => bytes)), records }]
  }
}
