/** The points of the charts: from the store, and from each window that ends. */

import { RANGES } from '../view.js'
import { ask, filtersOf } from './ask.js'
import { rowsOf } from './chosen.js'
import { totalOf } from './rows.js'

export const LINES = ['flows', 'p50', 'p95', 'p99', 'sent', 'rcvd', 'opened', 'failed', 'retransmits']
/** Windows that come one by one are kept, so that a day does not fill the memory. */
const MAX_POINTS = 2000

export class Series {
  times = []
  lines = Object.fromEntries(LINES.map(name => [name, []]))
  /** Why there is nothing of the past, in a sentence. */
  problem = ''
  #live
  #level
  #key = ''
  #abort
  #changed

  constructor(level, live, changed) {
    this.#level = level
    this.#live = live
    this.#changed = changed
  }

  /** What is chosen has changed: the past is asked for. The text is a filter of the table alone. */
  async choose(view) {
    const { text: _, ...filters } = filtersOf(view)
    const key = JSON.stringify([filters, view.range, this.#live.hello?.history])
    if (key === this.#key || !this.#live.hello) return
    this.#key = key
    this.#abort?.abort()
    this.#abort = new AbortController()
    this.#clear()
    this.add(view)
    const now = Math.floor(Date.now() / 1000)
    const query = { ...filters, level: this.#level, from: now - RANGES[view.range], to: now }
    try {
      if (this.#live.hello.history) this.#put(await ask('api/history', query, this.#abort.signal), now)
    } catch (error) {
      if (error.name === 'AbortError') return
      this.problem = error.message
    }
    this.#changed()
  }

  /** The point of the newest windows, over all hosts that have one of that time. */
  add(view) {
    const windows = this.#live.heard()
    if (windows.length === 0) return
    const time = Math.max(...windows.map(({ time }) => time))
    const rows = windows
      .filter(window => window.time === time)
      .flatMap(({ levels }) => rowsOf(levels, this.#level, { ...view, text: '' }))
    const total = totalOf(rows, view.role)
    const last = this.times.at(-1)
    if (last !== undefined && time < last) return
    const at = time === last ? this.times.length - 1 : this.times.length
    this.times[at] = time
    for (const name of LINES) this.lines[name][at] = total[name]
    const oldest = time - RANGES[view.range]
    while (this.times.length > MAX_POINTS || this.times[0] < oldest) this.#shift()
  }

  /** The step that is not over yet has too little: windows have come since, one by one. */
  #put({ times, step, lines }, now) {
    const isKnown = at => LINES.some(name => typeof lines[name]?.[at] === 'number')
    const first = times.findIndex((_, at) => isKnown(at))
    const from = first < 0 ? times.length : first
    const whole = times.slice(from).filter(time => time + step <= now)
    const kept = from + whole.length
    const after = this.times.findIndex(time => time > (whole.at(-1) ?? 0))
    const rest = after < 0 ? this.times.length : after
    this.times = [...whole, ...this.times.slice(rest)]
    for (const name of LINES) {
      const past = lines[name]?.slice(from, kept) ?? whole.map(() => null)
      this.lines[name] = [...past, ...this.lines[name].slice(rest)]
    }
  }

  #shift() {
    this.times.shift()
    for (const name of LINES) this.lines[name].shift()
  }

  #clear() {
    this.problem = ''
    this.times = []
    for (const name of LINES) this.lines[name] = []
  }

  close() {
    this.#abort?.abort()
  }
}
