/** All keys, from their table. */

import type { Line } from '../../terminal/style.ts'
import { fit, width } from '../../width.ts'
import { KEYS } from '../keys.ts'

const NAMES: Readonly<Record<string, string>> = {
  ...{ ' ': 'space', return: 'Enter', escape: 'Esc', tab: 'Tab', backspace: 'Backspace' },
  ...{
    up: '↑',
    down: '↓',
    left: '←',
    right: '→',
    pageup: 'PgUp',
    pagedown: 'PgDn',
    home: 'Home',
    end: 'End',
  },
}
const named = (key: string): string =>
  NAMES[key] ?? (/^f\d+$/.test(key) ? key.toUpperCase() : key.replace('C-', 'Ctrl-'))
/** A terminal calls one key by either name. */
const isShown = (key: string): boolean => key !== 'enter'

export function helpLines(columns: number): Line[] {
  const views = KEYS.filter(({ group }) => group === 'views')
  const rows = [
    {
      keys: views.map(({ keys: [letter] }) => letter).join(' '),
      help: `view of ${views.map(({ help }) => help).join(', ')}; also F2 to F${views.length + 1}`,
    },
    { keys: '↑ ↓ j k PgUp PgDn Home End', help: 'another row' },
    ...KEYS.filter(({ group }) => group === undefined).map(({ keys, help }) => ({
      keys: keys.filter(isShown).map(named).join(' '),
      help,
    })),
  ]
  const widest = Math.max(...rows.map(({ keys }) => width(keys)))
  return rows.map(({ keys, help }) => [
    { text: ` ${keys}${' '.repeat(widest - width(keys))}  `, style: 'key' },
    { text: fit(help, Math.max(0, columns - widest - 3)) },
  ])
}
