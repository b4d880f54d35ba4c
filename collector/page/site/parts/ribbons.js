/** Pairs as ribbons from clients to servers, as wide as what they carry. */

import { rate } from '../data/units.js'
import { h, svg } from './elements.js'

const MAX_PAIRS = 40
const ROW = 26
const TOP = 26
const MIN_WIDTH = 300

export class Ribbons {
  #place = h('div', { class: 'map' })
  #link
  #drawn = ''

  /** @param link address of a node */
  constructor(place, link) {
    this.#link = link
    place.append(this.#place)
  }

  /** @returns how many pairs are not drawn */
  draw(pairs) {
    const shown = pairs.slice(0, MAX_PAIRS)
    const width = Math.max(MIN_WIDTH, this.#place.clientWidth)
    const key = JSON.stringify([
      width,
      shown.map(({ from, to, flows, perSecond, retransmits }) => [
        from.id,
        to.id,
        flows,
        perSecond,
        retransmits,
      ]),
    ])
    if (key === this.#drawn) return pairs.length - shown.length
    this.#drawn = key
    this.#place.hidden = shown.length === 0
    const focused = document.activeElement?.getAttribute?.('data-node')
    this.#place.replaceChildren(this.#picture(shown, width))
    if (focused) this.#place.querySelector(`[data-node="${CSS.escape(focused)}"]`)?.focus()
    return pairs.length - shown.length
  }

  #picture(pairs, width) {
    const left = placesOf(pairs, ({ from }) => from)
    const right = placesOf(pairs, ({ to }) => to)
    const height = TOP + Math.max(left.size, right.size) * ROW + 4
    const label = Math.min(260, Math.round(width * 0.36))
    const most = Math.max(1, ...pairs.map(weightOf))
    const ribbons = pairs.map(pair => {
      const [y1, y2] = [left.get(pair.from.id).y, right.get(pair.to.id).y]
      const [x1, x2] = [label + 8, width - label - 8]
      const middle = (x1 + x2) / 2
      const line = svg('path', {
        d: `M${x1} ${y1}C${middle} ${y1} ${middle} ${y2} ${x2} ${y2}`,
        class: pair.retransmits > 0 ? 'ribbon fair' : 'ribbon',
        'stroke-width': (1 + 11 * Math.sqrt(weightOf(pair) / most)).toFixed(1),
      })
      line.append(
        svg(
          'title',
          {},
          `${pair.from.name} to ${pair.to.name}: ${pair.flows} flows, ${rate(pair.perSecond)}`,
        ),
      )
      return line
    })
    const heads = [
      svg('text', { x: label, y: 14, 'text-anchor': 'end', class: 'head' }, 'clients'),
      svg('text', { x: width - label, y: 14, class: 'head' }, 'servers'),
    ]
    const nodes = [
      ...[...left.values()].map(place => this.#node(place, label, 'end', label)),
      ...[...right.values()].map(place => this.#node(place, width - label, 'start', label)),
    ]
    const attributes = {
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: 'group',
      'aria-label': 'Map; the table below has the same',
    }
    return svg('svg', attributes, ...heads, ...ribbons, ...nodes)
  }

  #node({ node, y }, x, anchor, room) {
    const most = Math.max(6, Math.floor(room / 7.2))
    const name = node.name.length > most ? `${node.name.slice(0, most - 1)}…` : node.name
    const side = anchor === 'end' ? 'client' : 'server'
    const text = svg(
      'text',
      { x, y: y + 4, 'text-anchor': anchor, class: node.outside ? 'outside' : 'inside' },
      name,
    )
    const dot = svg('circle', {
      cx: anchor === 'end' ? x + 6 : x - 6,
      cy: y,
      r: 3,
      class: node.outside ? 'outside' : 'inside',
    })
    const words = `${side} ${node.name}${node.outside ? ', outside' : ''}: its connections`
    return svg(
      'a',
      { href: this.#link(node), 'aria-label': words, 'data-node': `${side} ${node.id}` },
      text,
      dot,
    )
  }
}

const weightOf = ({ perSecond, flows }) => perSecond + flows

/** The busiest on top. */
function placesOf(pairs, of) {
  const places = new Map()
  for (const pair of pairs) {
    const node = of(pair)
    if (!places.has(node.id)) places.set(node.id, { node, y: TOP + places.size * ROW + ROW / 2 })
  }
  return places
}
