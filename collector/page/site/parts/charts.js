/** Four charts over one time: flows, round trips, traffic, troubles. */

import { often, rate, time } from '../data/units.js'
import uPlot from '../uplot.js'
import { h, setText } from './elements.js'

const whole = value => (value === null ? '–' : Math.round(value).toLocaleString('en'))
/** A chart each: its lines with their colours, and how a value is written. */
const CHARTS = [
  { title: 'Flows', text: whole, lines: [['flows', 'open', 'blue']] },
  {
    title: 'Round-trip time',
    text: time,
    lines: [
      ['p50', 'p50', 'blue'],
      ['p95', 'p95', 'orange'],
      ['p99', 'p99', 'red'],
    ],
  },
  {
    title: 'Traffic',
    text: rate,
    lines: [
      ['sent', 'sent', 'blue'],
      ['rcvd', 'received', 'green'],
    ],
  },
  {
    title: 'Per second',
    text: often,
    lines: [
      ['opened', 'opened', 'blue'],
      ['retransmits', 'retransmits', 'orange'],
      ['failed', 'failed', 'red'],
    ],
  },
]
const HEIGHT = 130
/** A new store has little to show: not less than this. */
export const LEAST_S = 60

export class Charts {
  #charts
  #problem = h('p', { class: 'note', role: 'status' })
  #place = h('section', { class: 'charts', 'aria-label': 'Over time', tabindex: '0' })
  #resize

  constructor(place) {
    place.append(this.#place, this.#problem)
    this.#charts = CHARTS.map(chart => new Chart(this.#place, chart))
    this.#resize = new ResizeObserver(() => {
      for (const chart of this.#charts) chart.fit()
    })
    this.#resize.observe(this.#place)
  }

  draw({ times, lines, problem }, range) {
    for (const chart of this.#charts) chart.draw(times, lines, range)
    setText(this.#problem, problem)
    this.#problem.hidden = problem === ''
  }

  close() {
    this.#resize.disconnect()
    for (const chart of this.#charts) chart.close()
  }
}

/** Lines over time: the key of their values, their name, their colour. */
export class Chart {
  #chart
  #values
  #area = h('div', { class: 'plot' })
  #lines
  #text
  #title
  #plot
  #drawn = ''

  constructor(place, { title, text, lines }) {
    this.#lines = lines
    this.#text = text
    this.#title = title
    this.#values = lines.map(([, name, colour]) => [name, h('b', {}), colour])
    const legend = this.#values.map(([name, value, colour]) =>
      h('span', { class: `key ${colour}` }, h('i', { 'aria-hidden': 'true' }), `${name} `, value),
    )
    this.#chart = h(
      'figure',
      {},
      h('figcaption', {}, h('h2', {}, title), h('span', { class: 'keys' }, ...legend)),
      this.#area,
    )
    place.append(this.#chart)
  }

  draw(times, lines, range) {
    const data = [times, ...this.#lines.map(([name]) => lines[name])]
    const key = `${times.length} ${times[0]} ${times.at(-1)} ${range} ${data
      .slice(1)
      .map(line => line.at(-1))
      .join()}`
    if (key === this.#drawn) return
    this.#drawn = key
    this.#plot ??= this.#make()
    this.#plot.setData(data, false)
    const end = times.at(-1) ?? Math.floor(Date.now() / 1000)
    const first = Math.min(times[0] ?? end, end - LEAST_S)
    this.#plot.setScale('x', { min: Math.max(end - range, first), max: end })
    this.#tell(times.length - 1)
    this.#describe(data)
  }

  fit() {
    const width = this.#area.clientWidth
    if (this.#plot && width > 0 && width !== this.#plot.width) this.#plot.setSize({ width, height: HEIGHT })
  }

  close() {
    this.#plot?.destroy()
    this.#chart.remove()
  }

  /** The values of one time: the last, or where the pointer is. */
  #tell(at) {
    for (const [index, [, element]] of this.#values.entries()) {
      const value = this.#plot.data[index + 1]?.[at]
      setText(element, this.#text(value ?? null))
    }
  }

  /** For who does not see it. */
  #describe(data) {
    const parts = this.#lines.map(([, name], at) => {
      const values = data[at + 1].filter(value => value !== null && value !== undefined)
      if (values.length === 0) return `${name}: nothing`
      const most = values.reduce((a, b) => Math.max(a, b))
      return `${name}: now ${this.#text(data[at + 1].at(-1) ?? null)}, highest ${this.#text(most)}`
    })
    this.#area.setAttribute('role', 'img')
    this.#area.setAttribute('aria-label', `${this.#title} over time; ${parts.join('; ')}`)
  }

  #make() {
    const style = getComputedStyle(document.documentElement)
    const colour = name => style.getPropertyValue(`--${name}`).trim()
    const axis = {
      stroke: colour('quiet'),
      grid: { stroke: colour('line'), width: 1 },
      ticks: { show: false },
      font: '11px system-ui',
    }
    return new uPlot(
      {
        width: Math.max(200, this.#area.clientWidth),
        height: HEIGHT,
        legend: { show: false },
        cursor: { sync: { key: 'page' }, y: false, drag: { x: false, y: false } },
        scales: { y: { range: (_, min, max) => [Math.min(0, min ?? 0), Math.max(max ?? 0, 1e-3) * 1.08] } },
        axes: [
          { ...axis, size: 24, space: 70, values: (_, ticks) => ticks.map(clockOf) },
          { ...axis, size: 68, space: 32, values: (_, ticks) => ticks.map(tick => this.#text(tick)) },
        ],
        series: [
          {},
          ...this.#lines.map(([, label, name]) => ({
            label,
            stroke: colour(name),
            width: 1.75,
            points: { size: 4, fill: colour(name), filter: lonely },
          })),
        ],
        hooks: { setCursor: [plot => this.#tell(plot.cursor.idx ?? plot.data[0].length - 1)] },
      },
      [[], ...this.#lines.map(() => [])],
      this.#area,
    )
  }
}

/** A point without neighbours is in no line. */
function lonely(plot, series) {
  const values = plot.data[series]
  const isThere = at => values[at] !== null && values[at] !== undefined
  return values.flatMap((_, at) => (isThere(at) && !isThere(at - 1) && !isThere(at + 1) ? [at] : []))
}

function clockOf(seconds) {
  const date = new Date(seconds * 1000)
  const two = number => String(number).padStart(2, '0')
  const isMidnight = date.getHours() + date.getMinutes() + date.getSeconds() === 0
  if (isMidnight) return `${two(date.getDate())}.${two(date.getMonth() + 1)}.`
  const base = `${two(date.getHours())}:${two(date.getMinutes())}`
  return date.getSeconds() === 0 ? base : `${base}:${two(date.getSeconds())}`
}
