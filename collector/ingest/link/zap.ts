/**
 * Decides in the handshake who may connect, before a message costs memory: ZAP (rfc.zeromq.org/spec/27). ZeroMQ asks on an
 * endpoint inside the process.
 */

import { Context, Reply } from 'zeromq'
import { keyOf } from '../../../wire/link/key.ts'

/** Who asks to connect. */
export interface Applicant {
  /** IP address; of a unix socket `localhost:<uid>:<gid>:<pid>`, from SO_PEERCRED. */
  readonly address: string
  /** Public key of CURVE. */
  readonly key?: string
}

/** `refused`: for good; `full`: as long as there is no room. */
export type Decision = 'welcome' | 'refused' | 'full'

const CODES: Readonly<Record<Decision, string>> = { welcome: '200', refused: '400', full: '500' }
const VERSION = '1.0'

export class Zap {
  /** All sockets that ask here are made in it. */
  readonly context = new Context()
  readonly #socket: Reply
  readonly #domains = new Map<string, (applicant: Applicant) => Decision>()
  readonly #answering: Promise<void>

  private constructor(socket: (context: Context) => Reply) {
    this.#socket = socket(this.context)
    this.#answering = this.#answer().catch(() => {}) // closed under a receive
  }

  static async open(): Promise<Zap> {
    const zap = new Zap(context => new Reply({ context, linger: 0 }))
    await zap.#socket.bind('inproc://zeromq.zap.01')
    return zap
  }

  /** @returns the value of `zapDomain` for a socket whose peers are decided upon here */
  decide(by: (applicant: Applicant) => Decision): string {
    const domain = `endpoint ${this.#domains.size}`
    this.#domains.set(domain, by)
    return domain
  }

  async close(): Promise<void> {
    this.#socket.close()
    await this.#answering
  }

  async #answer(): Promise<void> {
    for await (const frames of this.#socket) {
      const [version, id, domain, address, , mechanism, key] = frames
      const decide = this.#domains.get(String(domain))
      const isKnown = String(version) === VERSION && decide !== undefined
      const publicKey = String(mechanism) === 'CURVE' && key ? keyOf(key) : undefined
      const applicant = { address: String(address), ...(publicKey !== undefined && { key: publicKey }) }
      const decision = isKnown ? decide(applicant) : 'refused'
      await this.#socket.send([VERSION, id ?? '', CODES[decision], decision, '', ''])
    }
  }
}
