/** Bytes from left to right through two or three columns of nodes, as wide as they are many. */

import { bytes } from '../data/units.js'
import { h, setText, svg } from './elements.js'

const MAX_PATHS = 40
/** Pixels: of all bytes together, a node's least room and the room between two, the bar of a node, above all. */
const HEIGHT = 240
const ROW = 16
const GAP = 6
const BAR = 8
const TOP = 26
const MIN_WIDTH = 300
/** A letter of a name, on average. */
const LETTER = 7.2
/** Neighbours can be told apart. */
const COLOURS = ['blue', 'green', 'orange']

export class Sankey {
  #title
  #link
  #place = h('div', { class: 'map' })
  #sum = h('span', { class: 'keys' })
  #drawn = ''

  /** @param link address of a node */
  constructor(place, title, link) {
    this.#title = title
    this.#link = link
    place.append(h('figure', {}, h('figcaption', {}, h('h2', {}, title), this.#sum), this.#place))
  }

  /**
   * @param heads of the columns
   * @param all paths: `stops`, a node of each column, and `value` in bytes
   */
  draw(heads, all) {
    const some = all.filter(({ value }) => value > 0).sort((a, b) => b.value - a.value)
    const paths = some.slice(0, MAX_PATHS)
    const width = Math.max(MIN_WIDTH, this.#place.clientWidth)
    const key = JSON.stringify([width, heads, paths.map(({ stops, value }) => [stops.map(idOf), value])])
    if (key === this.#drawn) return
    this.#drawn = key
    const rest = some.length > paths.length ? `, the largest ${paths.length} of ${some.length} pairs` : ''
    setText(this.#sum, paths.length > 0 ? bytes(sumOf(paths)) + rest : 'nothing yet')
    const focused = document.activeElement?.getAttribute?.('data-node')
    const here = this.#place.contains(document.activeElement)
    this.#place.replaceChildren(this.#picture(heads, paths, width))
    if (here) this.#place.querySelector(`[data-node="${CSS.escape(focused)}"]`)?.focus()
  }

  #picture(heads, paths, width) {
    const columns = columnsOf(heads, paths, width)
    const height = Math.max(TOP, ...columns.map(({ end }) => end))
    const attributes = { width, height, viewBox: `0 0 ${width} ${height}`, role: 'group' }
    const words = `${this.#title}, as a picture; the table below has the same`
    return svg(
      'svg',
      { ...attributes, 'aria-label': words },
      ...columns.slice(1).flatMap((right, at) => ribbons(paths, at, columns[at], right)),
      ...columns.map(column => label(column, 14, 'head', column.head)),
      ...columns.flatMap((column, at) => [...column.places.values()].map(of => this.#node(of, column, at))),
    )
  }

  #node({ node, y, height, value }, column, at) {
    const most = Math.max(6, Math.floor(column.room / LETTER))
    const name = node.name.length > most ? `${node.name.slice(0, most - 1)}…` : node.name
    const side = node.outside ? 'outside' : 'inside'
    const words = `${column.head} ${node.name}, ${bytes(value)}: its connections`
    return svg(
      'a',
      { href: this.#link(node), 'aria-label': words, 'data-node': `${at} ${node.id}` },
      svg('title', {}, words),
      svg('rect', { x: column.x, y, width: BAR, height: height.toFixed(1), class: side }),
      label(column, y + height / 2 + 4, side, name),
    )
  }
}

const idOf = ({ id }) => id
const sumOf = paths => paths.reduce((sum, { value }) => sum + value, 0)

/** Names stand outside of the first and the last column, and right of what is between. */
function label({ x, isFirst }, y, kind, text) {
  const at = isFirst ? { x: x - 6, 'text-anchor': 'end' } : { x: x + BAR + 6 }
  return svg('text', { ...at, y: y.toFixed(1), class: kind }, text)
}

/** What the outer names do not need is left for the ribbons and the names between. */
function columnsOf(heads, paths, width) {
  const last = heads.length - 1
  const [left, right] = [0, last].map(at => {
    const longest = Math.max(heads[at].length, ...paths.map(({ stops }) => stops[at].name.length))
    return Math.min(220, Math.round(width * 0.34), Math.ceil(longest * LETTER) + 16)
  })
  const step = (width - left - right - BAR) / last
  const columns = []
  for (const [at, head] of heads.entries()) {
    const isFirst = at === 0
    const room = isFirst ? left - 8 : at === last ? right - 8 : step - BAR - 12
    columns.push({ head, room, isFirst, x: left + at * step, ...placesOf(paths, at, columns.at(-1)) })
  }
  return columns
}

/** The largest on top; in the next columns each near what comes to it, so that few ribbons cross. */
function placesOf(paths, at, left) {
  const places = new Map()
  for (const { stops, value } of paths) {
    const { id } = stops[at]
    if (!places.has(id)) places.set(id, { node: stops[at], value: 0, pull: 0, came: 0, went: 0 })
    const place = places.get(id)
    place.value += value
    place.pull += left ? value * left.places.get(stops[at - 1].id).y : 0
  }
  const sorted = [...places.values()].sort((a, b) => a.pull / a.value - b.pull / b.value || b.value - a.value)
  const scale = HEIGHT / Math.max(1, sumOf(paths))
  let end = TOP
  for (const place of sorted) {
    place.y = end
    place.height = Math.max(2, place.value * scale)
    end += Math.max(ROW, place.height) + GAP
  }
  return { places, end, scale }
}

/** From one column to the next: those that join the same two nodes are one. */
function ribbons(paths, at, left, right) {
  const joined = new Map()
  for (const { stops, value } of paths) {
    const [a, b] = [left.places.get(stops[at].id), right.places.get(stops[at + 1].id)]
    const key = JSON.stringify([a.node.id, b.node.id])
    joined.set(key, { a, b, value: value + (joined.get(key)?.value ?? 0) })
  }
  const order = [...left.places.keys()]
  const sorted = [...joined.values()].sort((one, other) => one.a.y - other.a.y || one.b.y - other.b.y)
  return sorted.map(({ a, b, value }) => {
    const wide = value * left.scale
    const [y1, y2] = [a.y + a.went + wide / 2, b.y + b.came + wide / 2].map(y => y.toFixed(1))
    a.went += wide
    b.came += wide
    const [x1, x2] = [left.x + BAR, right.x]
    const middle = (x1 + x2) / 2
    const colour = COLOURS[order.indexOf(a.node.id) % COLOURS.length]
    return svg(
      'path',
      {
        d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
        class: `ribbon ${colour}`,
        'stroke-width': Math.max(1, wide).toFixed(1),
      },
      svg('title', {}, `${a.node.name} to ${b.node.name}: ${bytes(value)}`),
    )
  })
}
