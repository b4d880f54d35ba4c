/** Connections that stay, over several processes of a stage. */

import { ADDRESS, type Stage } from './stage.ts'

const PER_CLIENT = 10_000
const FIRST_PORT = 8000

/** Grows to so many sockets, half of them on each side, by a client and its server at a time. */
export class Sockets {
  readonly #stage: Stage
  #count = 0
  #pairs = 0

  constructor(stage: Stage) {
    this.#stage = stage
  }

  async grow(to: number): Promise<void> {
    while (this.#count < to) {
      const wanted = Math.min(PER_CLIENT, (to - this.#count) / 2)
      const port = FIRST_PORT + this.#pairs++
      await this.#stage.server(port)
      const client = await this.#stage.client()
      const { opened } = await client.ask<{ opened: number }>(`open ${wanted} ${ADDRESS} ${port}`, 60_000)
      if (opened !== wanted) throw new Error(`${opened} of ${wanted} connections opened`)
      this.#count += 2 * wanted
    }
  }
}
