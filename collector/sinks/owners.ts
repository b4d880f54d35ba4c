/** Whose each record on disk is: a million of them take 8 MB, as objects in a map 100. */

export interface Owner {
  readonly host: string
  readonly samples: number
}

const PAGE = 4096

/** Of records with neighbouring serials: number of the host and samples, one after the other. */
interface Page {
  readonly numbers: Uint32Array
  left: number
}

export class Owners {
  /** No record has the host 0. */
  #hosts = ['']
  readonly #numbers = new Map<string, number>()
  readonly #pages = new Map<number, Page>()

  has(serial: number): boolean {
    return this.get(serial) !== undefined
  }

  get(serial: number): Owner | undefined {
    const { numbers } = this.#pages.get(Math.floor(serial / PAGE)) ?? {}
    const at = 2 * (serial % PAGE)
    const number = numbers?.[at]
    return number ? { host: this.#hosts[number]!, samples: numbers![at + 1]! } : undefined
  }

  /** Of a record that has none yet. */
  set(serial: number, { host, samples }: Owner): void {
    const place = Math.floor(serial / PAGE)
    const page = this.#pages.get(place) ?? { numbers: new Uint32Array(2 * PAGE), left: 0 }
    this.#pages.set(place, page)
    page.numbers.set([this.#numberOf(host), samples], 2 * (serial % PAGE))
    page.left++
  }

  delete(serial: number): void {
    if (!this.has(serial)) return
    const place = Math.floor(serial / PAGE)
    const page = this.#pages.get(place)!
    page.numbers[2 * (serial % PAGE)] = 0
    if (--page.left === 0) this.#pages.delete(place)
    if (this.#pages.size === 0) this.clear() // hosts come and go
  }

  clear(): void {
    this.#hosts = ['']
    this.#numbers.clear()
    this.#pages.clear()
  }

  #numberOf(host: string): number {
    const known = this.#numbers.get(host)
    if (known !== undefined) return known
    this.#numbers.set(host, this.#hosts.length)
    return this.#hosts.push(host) - 1
  }
}
