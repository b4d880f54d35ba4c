/** The page: the address says what is shown, the collector says what is new, and both draw. */

import { Live } from './data/live.js'
import { drawFilters, drawViews } from './parts/filters.js'
import { current, go, onChange } from './view.js'
import { connections } from './views/connections.js'
import { flows } from './views/flows.js'
import { health } from './views/health.js'
import { map } from './views/map.js'
import { nodes } from './views/nodes.js'
import { subjects } from './views/subjects.js'

/** What the address can name: a title, and what draws it. */
const VIEWS = {
  containers: { title: 'Containers', open: subjects('container') },
  pods: { title: 'Pods', open: subjects('pod') },
  processes: { title: 'Processes', open: subjects('process') },
  hosts: { title: 'Hosts', open: subjects('host') },
  map: { title: 'Who talks to whom', short: 'Map', open: map },
  flows: { title: 'What pods talk to', short: 'Flows', open: flows },
  nodes: { title: 'Between nodes', short: 'Nodes', open: nodes },
  connections: { title: 'Connections', open: connections },
  health: { title: 'Losses and health', short: 'Health', open: health },
}

const live = new Live()
const place = document.getElementById('view')
const status = document.getElementById('status')
/** What is open: draws itself with each window, and goes when another one comes. */
let open
let opened = ''
let isAsked = false

/** Once before the next picture, however much has come. */
function draw() {
  if (isAsked) return
  isAsked = true
  requestAnimationFrame(() => {
    isAsked = false
    const at = current()
    const name = Object.hasOwn(VIEWS, at.view) ? at.view : 'containers'
    const { title, open: opener } = VIEWS[name]
    if (name !== opened) {
      open?.close?.()
      place.replaceChildren()
      open = opener(place, live)
      opened = name
    }
    const whose = at.process || at.container || at.pod || at.namespace || at.host
    const heading = whose ? `${title} · ${live.nameOf(at) || whose}` : title
    setText(document.getElementById('title'), heading)
    document.title = `${heading} – Sockflux`
    setText(status, live.status())
    status.dataset.state = live.state
    drawViews(VIEWS, name)
    drawFilters(live)
    open.draw(at)
  })
}

function setText(element, text) {
  if (element.textContent !== text) element.textContent = text
}

document.addEventListener('keydown', event => {
  const isTyping = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey) {
    event.preventDefault()
    document.getElementById('filter-text').focus()
  }
  if (event.key === 'Escape' && event.target.id === 'filter-text') go({ text: '' })
})
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
  opened = ''
  draw()
})
setInterval(draw, 1000) // ages, and a host that became silent
onChange(draw)
live.onChange(draw)
live.start()
draw()
