/** Where a collector may be, and with which of its keys: what is tried, one after the other. */

import { addressesOf } from '../../../wire/addresses.ts'
import type { Link } from '../../../wire/settings/endpoint.ts'
import type { Way } from './dial.ts'
import type { Trust } from './trust.ts'

export class Ways {
  readonly #link: Link
  readonly #trust: Trust
  /** The way that led to a collector last. */
  #last = ''

  constructor(link: Link, trust: Trust) {
    this.#link = link
    this.#trust = trust
  }

  /**
   * Resolved and read each time: a collector may have moved, keys may have changed. The way that led to it last comes first.
   * @throws with what is missing or not to be trusted
   */
  async next(): Promise<Way[]> {
    const { endpoint, security } = this.#link
    if (security === 'server') throw new Error(`${endpoint} is no endpoint of ZeroMQ`)
    const fault = security === 'local' ? this.#trust.pathFault(endpoint.replace('ipc://', '')) : undefined
    if (fault !== undefined) throw new Error(fault)
    const curves = security === 'curve' ? this.#trust.curves() : [undefined]
    const ways = (await addressesOf(endpoint)).flatMap(address =>
      curves.map((curve): Way => ({ address, security, ...(curve && { curve }) })),
    )
    const isLast = (way: Way) => Number(nameOf(way) === this.#last)
    return ways.sort((a, b) => isLast(b) - isLast(a))
  }

  /** This one led to a collector. */
  led(way: Way): void {
    this.#last = nameOf(way)
  }
}

const nameOf = ({ address, curve }: Way): string => `${address} ${curve?.collector ?? ''}`
