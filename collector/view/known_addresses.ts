/** Whose an address is, as far as live flows show it: a container that has sent from it, on the same machine. */

import { WORD } from '../flows/table/columns.ts'
import type { FlowStore } from '../flows/table/store.ts'

/** The machine and four words of an address. */
export function wordsOf(store: FlowStore, flow: number, first: number): string {
  const word = (index: number) => store.table.word(flow, first + index)
  return `${store.runOf(flow).boot} ${word(0)} ${word(1)} ${word(2)} ${word(3)}`
}

/** For a quick look: most addresses are none of those that are wanted. */
const mixed = ({ table }: FlowStore, flow: number, first: number): number =>
  table.word(flow, first) ^
  table.word(flow, first + 1) ^
  table.word(flow, first + 2) ^
  table.word(flow, first + 3)

/**
 * @param flows whose remote addresses are wanted
 * @returns names of containers or pods, by `wordsOf`; an address of two of them (a node's, 127.0.0.1) has none
 */
export function ownersOf(store: FlowStore, flows: readonly number[]): ReadonlyMap<string, string> {
  const wanted = new Set(flows.map(flow => mixed(store, flow, WORD.REMOTE)))
  const owners = new Map<string, Set<number>>()
  for (let flow = 1; flow < store.table.used; flow++) {
    const place = store.table.word(flow, WORD.PLACE)
    if (place === 0 || !wanted.has(mixed(store, flow, WORD.LOCAL))) continue
    const words = wordsOf(store, flow, WORD.LOCAL)
    owners.set(words, (owners.get(words) ?? new Set()).add(place))
  }
  const names = [...owners].flatMap(([words, places]): [string, string][] => {
    const called = new Set([...places].map(number => nameOf(store, number)))
    const [name] = called
    return called.size === 1 && name ? [[words, name]] : []
  })
  return new Map(names)
}

function nameOf(store: FlowStore, number: number): string {
  const place = store.places.get(number)
  return place?.pod?.name || place?.name.name || ''
}
