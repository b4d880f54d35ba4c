/** Who is at an address, as far as live flows show it. */

import { WORD } from '../flows/table/columns.ts'
import type { FlowStore } from '../flows/table/store.ts'

type Owners = Map<string, Set<string>>

/** Four words of an address. */
function wordsOf({ table }: FlowStore, flow: number, first: number): string {
  const word = (index: number) => table.word(flow, first + index)
  return `${word(0)} ${word(1)} ${word(2)} ${word(3)}`
}

/** For a quick look: most addresses are none of those that are wanted. */
const mixed = ({ table }: FlowStore, flow: number, first: number): number =>
  table.word(flow, first) ^
  table.word(flow, first + 1) ^
  table.word(flow, first + 2) ^
  table.word(flow, first + 3)

/** Containers and pods at the remote addresses of some flows. */
export class KnownAddresses {
  readonly #store: FlowStore
  /** Who answered at the address in the same network namespace: it may be the address of a Service. */
  readonly #answered: Owners = new Map()
  /** Who sent from it on the same machine. */
  readonly #sent: Owners = new Map()

  /** @param flows whose remote addresses are wanted */
  constructor(store: FlowStore, flows: readonly number[]) {
    this.#store = store
    const { table } = store
    const wanted = new Set(flows.map(flow => mixed(store, flow, WORD.REMOTE)))
    for (let flow = 1; flow < table.used; flow++) {
      if (table.word(flow, WORD.RUN) === 0) continue
      const peer = table.word(flow, WORD.PEER)
      if (peer !== 0 && wanted.has(mixed(store, flow, WORD.REMOTE)))
        add(this.#answered, this.#answeredKey(flow), this.#nameOf(peer))
      if (wanted.has(mixed(store, flow, WORD.LOCAL)))
        add(this.#sent, this.#sentKey(flow, WORD.LOCAL), this.#nameOf(flow))
    }
  }

  /** Undefined where nobody is known, or several are: at the address of a node, at 127.0.0.1. */
  at(flow: number): string | undefined {
    return (
      only(this.#answered.get(this.#answeredKey(flow))) ??
      only(this.#sent.get(this.#sentKey(flow, WORD.REMOTE)))
    )
  }

  /** Two machines may have a namespace with the same number. */
  #answeredKey(flow: number): string {
    return `${this.#store.table.word(flow, WORD.NETNS)} ${this.#sentKey(flow, WORD.REMOTE)}`
  }

  #sentKey(flow: number, first: number): string {
    return `${this.#store.runOf(flow).boot} ${wordsOf(this.#store, flow, first)}`
  }

  #nameOf(flow: number): string {
    const place = this.#store.places.get(this.#store.table.word(flow, WORD.PLACE))
    return place?.pod?.name || place?.name.name || ''
  }
}

function add(owners: Owners, key: string, name: string): void {
  owners.set(key, (owners.get(key) ?? new Set()).add(name))
}

function only(names: ReadonlySet<string> = new Set()): string | undefined {
  const [name] = names
  return names.size === 1 && name !== '' ? name : undefined
}
