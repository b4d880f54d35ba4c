/** Who carries most, over time: a line each, from the moment it is asked for. */

import { rate } from '../data/units.js'
import { Chart, LEAST_S } from './charts.js'
import { h } from './elements.js'

const COLOURS = ['blue', 'green', 'orange', 'red']
/** Windows that are kept. */
const MAX_POINTS = 360

export class Busiest {
  #section = h('section', { class: 'charts', 'aria-label': 'The busiest over time', tabindex: '0' })
  /** Of each window: its end, and by title of a chart the bytes per second by name. */
  #windows = []
  #key = ''
  /** By title: the chart, and whose lines it has. */
  #charts = new Map()
  #resize = new ResizeObserver(() => {
    for (const { chart } of this.#charts.values()) chart.fit()
  })

  constructor(place) {
    place.append(this.#section)
    this.#resize.observe(this.#section)
  }

  /**
   * @param key of the question: another one begins anew
   * @param time end of the window, seconds since the epoch; the same one again is replaced
   * @param groups by title of a chart: bytes per second by name
   */
  draw(key, time, groups) {
    if (key !== this.#key) this.#windows = []
    this.#key = key
    const last = this.#windows.at(-1)
    if (time === last?.time) last.groups = groups
    else this.#windows.push({ time, groups })
    if (this.#windows.length > MAX_POINTS) this.#windows.shift()
    for (const [title, rates] of Object.entries(groups)) this.#drawChart(title, rates)
  }

  close() {
    this.#resize.disconnect()
    for (const { chart } of this.#charts.values()) chart.close()
  }

  /** Other names have another chart. */
  #drawChart(title, rates) {
    const busiest = [...rates].sort(([, a], [, b]) => b - a).slice(0, COLOURS.length)
    const names = busiest.map(([name]) => name).sort()
    const shown = JSON.stringify(names)
    let known = this.#charts.get(title)
    if (known?.shown !== shown) {
      known?.chart.close()
      const lines = names.map((name, at) => [name, name, COLOURS[at]])
      known = { chart: new Chart(this.#section, { title, text: rate, lines }), shown }
      this.#charts.set(title, known)
    }
    const times = this.#windows.map(({ time }) => time)
    const pointsOf = name => this.#windows.map(({ groups }) => groups[title].get(name) ?? null)
    const lines = Object.fromEntries(names.map(name => [name, pointsOf(name)]))
    known.chart.draw(times, lines, Math.max(LEAST_S, times.at(-1) - times[0]))
  }
}
