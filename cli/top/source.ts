/** Asks the collector for what is shown, every second. */

import type { Answer } from '../../collector/flows/live.ts'
import type { PeersAnswer } from '../../collector/view/peers.ts'
import type { TopHost } from '../../collector/view/rows.ts'
import { ask } from '../client.ts'

/** What the collector knew at one moment. */
export interface Snapshot {
  readonly hosts: readonly TopHost[]
  /** Conversations, if they were wanted. */
  readonly flows?: Answer
  readonly peers?: PeersAnswer
  /** Why there are no conversations: this collector keeps none. */
  readonly withoutFlows?: string
}

/** Parameters of `GET /flows`. */
export type FlowQuery = Readonly<Record<string, string>>

const NO_FLOWS = 404

export class Source {
  readonly #socket: string
  /** The answers about conversations, which change with a window only. */
  #last: { readonly key: string; readonly snapshot: Snapshot } | undefined

  constructor(socket: string) {
    this.#socket = socket
  }

  /**
   * @param query of conversations; undefined when none are wanted
   * @throws with one sentence: no collector answers
   */
  async snapshot(query?: FlowQuery): Promise<Snapshot> {
    const hosts = (await this.#get('/top')) as TopHost[]
    const windows = hosts.map(({ host, time }) => [host, time])
    const key = JSON.stringify([query, windows])
    if (this.#last?.key === key) return { ...this.#last.snapshot, hosts }
    const snapshot = { hosts, ...(await this.#talk(query)) }
    this.#last = { key, snapshot }
    return snapshot
  }

  async #talk(query: FlowQuery | undefined): Promise<Omit<Snapshot, 'hosts'>> {
    try {
      const peers = (await this.#get('/peers')) as PeersAnswer
      if (!query) return { peers }
      return { peers, flows: (await this.#get(`/flows?${new URLSearchParams(query)}`)) as Answer }
    } catch (error) {
      if (error instanceof Refused && error.status === NO_FLOWS) return { withoutFlows: error.message }
      throw error
    }
  }

  async #get(path: string): Promise<unknown> {
    const { status, body } = await ask(this.#socket, 'GET', path)
    const answer = JSON.parse(body) as { error?: string }
    if (status !== 200) throw new Refused(status, answer.error ?? `the collector answered ${status}`)
    return answer
  }
}

class Refused extends Error {
  readonly status: number | undefined
  constructor(status: number | undefined, message: string) {
    super(message)
    this.status = status
  }
}
