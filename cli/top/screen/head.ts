/** The lines above the table: which hosts, how much, what is chosen. */

import { rateOf } from '../../../collector/view/row_of.ts'
import type { TopHost } from '../../../collector/view/rows.ts'
import { isHarmless } from '../../../wire/losses.ts'
import { printable } from '../../printable.ts'
import type { Line, Span } from '../../terminal/style.ts'
import { width } from '../../width.ts'
import { count, rate, type Unit } from '../columns/units.ts'
import { LETTERS } from '../keys.ts'
import { FOLDS, type State, VIEWS, type ViewName } from '../state.ts'

const GAP = '  '

/** With a number when there is no room for all: the highest leaves first. */
interface Part extends Span {
  readonly leaves?: number
}

const HELP: Span = { text: '? help', style: 'key' }

/** @param note something that is said instead of the rest: the collector is gone, the screen is paused */
export function headLine(
  hosts: readonly TopHost[],
  unit: Unit,
  note: Span | undefined,
  columns: number,
): Line {
  const parts: Part[] = [
    { text: 'sockflux', style: 'title' },
    ...partsOf(hosts, unit),
    ...(note ? [note] : []),
  ]
  const room = columns - width(HELP.text) - GAP.length
  const length = () => parts.reduce((sum, { text }) => sum + width(text) + GAP.length, -GAP.length)
  while (length() > room) {
    const [last] = parts.filter(({ leaves }) => leaves !== undefined).sort((a, b) => b.leaves! - a.leaves!)
    if (!last) break
    parts.splice(parts.indexOf(last), 1)
  }
  const spans = parts.flatMap((part, at): Span[] => (at === 0 ? [part] : [{ text: GAP }, part]))
  return [...spans, { text: ' '.repeat(Math.max(GAP.length, columns - length() - width(HELP.text))) }, HELP]
}

/** The same as text, with the date. */
export function headText(hosts: readonly TopHost[], unit: Unit): string {
  if (hosts.length === 0) return WAITING
  const newest = Math.max(...hosts.map(({ time }) => time))
  const at = new Date(newest * 1000).toISOString().replace('.000Z', 'Z')
  const [host, _, ...others] = partsOf(hosts, unit)
  return [host!.text, `window until ${at}`, ...others.map(({ text }) => text)].join(GAP)
}

const WAITING = 'waiting for the end of the first window …'

function partsOf(hosts: readonly TopHost[], unit: Unit): Part[] {
  const [first] = hosts
  if (!first) return [{ text: WAITING }]
  const newest = hosts.reduce((latest, host) => (host.time > latest.time ? host : latest))
  const sum = (of: (host: TopHost) => number) => hosts.reduce((sum, host) => sum + of(host), 0)
  const lost = sum(host => Object.values(host.lost).reduce((sum, count) => sum + count, 0))
  const isBad = hosts.some(host => Object.keys(host.lost).some(reason => !isHarmless(reason)))
  const time = new Date(newest.time * 1000)
  const isPartial = hosts.every(({ partial }) => partial)
  return [
    { text: hosts.length === 1 ? `host ${printable(first.host)}` : `hosts ${hosts.length}`, leaves: 2 },
    {
      text: [time.getHours(), time.getMinutes(), time.getSeconds()]
        .map(part => String(part).padStart(2, '0'))
        .join(':'),
      leaves: 3,
    },
    { text: `window ${newest.interval}s${isPartial ? ' (the first, incomplete)' : ''}`, leaves: 5 },
    { text: `containers ${count(sum(host => host.total.containers - 1))}`, leaves: 4 }, // (host) is none
    { text: `flows ${count(sum(host => host.flows))}` },
    {
      text: rate(
        sum(host => host.containers.reduce((sum, row) => sum + rateOf(row), 0)),
        unit,
      ),
      style: 'good',
    },
    { text: `lost ${count(lost)}`, style: lost === 0 ? undefined : isBad ? 'bad' : 'warn', leaves: 1 },
  ]
}

/** `sort [SENT/s] …   filter: _   view [containers] pods …` */
export function choiceLine(state: State, sort: string, columns: number): Line {
  const isReversed = state.sorts.get(state.table)?.isReversed ?? false
  const fold = FOLDS[state.view][state.fold]
  const chosen: Span[] = [
    { text: 'sort ' },
    { text: `[${sort}${isReversed ? ' ↑' : ''}]`, style: 'key' },
    { text: `${GAP}filter: ` },
    { text: `${printable(state.filter)}${state.isTyping ? '_' : ''}`, style: 'key' },
    ...(state.filter === '' && !state.isTyping ? [{ text: '-', style: 'dim' as const }] : []),
    ...(state.frozen ? [{ text: `${GAP}frozen`, style: 'warn' as const }] : []),
  ]
  const left = chosen.reduce((sum, { text }) => sum + width(text), 0)
  const forms: readonly ((view: ViewName) => string)[] = [
    view => view,
    view => `${LETTERS[view]} ${view.slice(0, 4)}`,
    view => LETTERS[view],
  ]
  const lines = forms.map(called => viewsLine(state, fold, called))
  const views = lines.find(line => left + GAP.length + widthOf(line) <= columns) ?? lines.at(-1)!
  return [...chosen, { text: GAP }, ...views]
}

const widthOf = (line: Line): number => line.reduce((sum, { text }) => sum + width(text), 0)

function viewsLine(state: State, fold: string | undefined, called: (view: State['view']) => string): Line {
  const names = VIEWS.flatMap((view): Span[] => {
    const isShown = view === state.view && !state.scope
    const folded = isShown && fold && fold !== view ? ` by ${fold}` : ''
    return [{ text: ' ' }, isShown ? { text: `[${view}${folded}]`, style: 'key' } : { text: called(view) }]
  })
  return [{ text: 'view' }, ...names]
}
