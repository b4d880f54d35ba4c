/** The last window of each host, by server-sent events; the browser connects again by itself. */

import { decode } from './rows.js'

/** A host is silent after so many of its windows, as the collector has it. */
const SILENT_WINDOWS = 3

export class Live {
  /** `connecting`, `live`, `lost` (tries again) or `refused` (needs a new link). */
  state = 'connecting'
  /** What the collector can tell: columns, history, talk, version. */
  hello
  /** By host. */
  windows = new Map()
  #changed = []
  #arrived = []

  onChange(tell) {
    this.#changed.push(tell)
  }

  /** Told of each window. @returns what stops that */
  onWindow(tell) {
    this.#arrived.push(tell)
    return () => {
      this.#arrived = this.#arrived.filter(other => other !== tell)
    }
  }

  start() {
    const source = new EventSource('api/live')
    source.addEventListener('hello', event => {
      this.hello = JSON.parse(event.data)
      this.#become('live')
    })
    source.addEventListener('window', event => {
      const window = decode(JSON.parse(event.data), this.hello.columns)
      this.windows.set(window.host, window)
      for (const tell of this.#arrived) tell(window)
      this.#become('live')
    })
    source.addEventListener('error', async () => {
      if (source.readyState !== EventSource.CLOSED) return this.#become('lost')
      // an answer that is no stream ends it: the session is over, or too many watch
      const answer = await fetch('api/health').catch(() => undefined)
      this.#become(answer?.status === 401 || answer?.status === 403 ? 'refused' : 'lost')
      if (this.state === 'lost') setTimeout(() => this.start(), 2000)
    })
  }

  /** In words, for the line at the top. */
  status() {
    if (this.state === 'refused') return 'the session has ended: open a new link (sockflux page)'
    if (this.state === 'lost') return 'the collector does not answer; trying again …'
    if (this.state === 'connecting') return 'connecting …'
    if (this.windows.size === 0) return 'waiting for the end of the first window …'
    const newest = Math.max(...[...this.windows.values()].map(({ time }) => time))
    const hosts = this.heard().length
    return `live · ${hosts} ${hosts === 1 ? 'host' : 'hosts'} · window until ${clock(newest)}`
  }

  /** The windows of hosts that still send. */
  heard() {
    const now = Date.now() / 1000
    const windows = [...this.windows.values()]
    const recent = windows.filter(({ time, interval }) => now - time < SILENT_WINDOWS * interval + 30)
    return recent.length > 0 ? recent : windows
  }

  /** Rows of a level, over all hosts. */
  rows(level) {
    return this.heard().flatMap(({ levels }) => levels[level].rows)
  }

  /** What the chosen container is called. */
  nameOf({ container, process, pod, namespace }) {
    if (process) return process
    if (container) return this.rows('container').find(({ id }) => id === container)?.name
    return pod && namespace ? `${namespace}/${pod}` : ''
  }

  #become(state) {
    this.state = state
    for (const tell of this.#changed) tell()
  }
}

const clock = seconds => new Date(seconds * 1000).toLocaleTimeString(undefined, { hour12: false })
