/** A commented settings file from a program's table: every key with its help and default, all switched off. */

import { stringify } from 'yaml'
import {
  defaultFile,
  defaultOf,
  type Setting,
  type Settings,
  snake,
  variables,
} from '../../../wire/settings/settings.ts'
import { wrapped } from './text.ts'

const WIDTH = 100

export function settingsFile(section: string, settings: Settings): string {
  const head = [
    `Settings of sockflux ${section}; sockflux.yaml(5) says how they are written.`,
    `What is not set here has its default. Flags and variables win over this file. Check it: sockflux config check ${section}`,
  ]
  const entries = Object.entries(settings).map(([name, row]) => entry(name, row))
  return `${[head.flatMap(comment).join('\n'), ...entries].join('\n\n')}\n`
}

const comment = (text: string): string[] => wrapped(text, WIDTH - 2).map(line => `# ${line}`)

function entry(name: string, row: Setting): string {
  const lines = comment(row.help)
  if (row.secret) {
    const [variable] = variables(name, row)
    lines.push(...comment(`Better in a file that only its user reads, named by ${variable}_FILE.`))
  }
  return [...lines, ...valueLines(name, row).map(line => `#${line}`)].join('\n')
}

const UNITS = ['seconds', 'hours', 'days']
/** Of a number: ` seconds`, from the placeholder of its flag. */
export const unitOf = ({ value }: Setting, before: string): string => {
  const unit = UNITS.find(unit => value === `<${unit}>`)
  return unit === undefined ? '' : `${before}${unit}`
}

function valueLines(name: string, row: Setting): string[] {
  const { value = '<text>', ofMachine, list } = row
  const fallback = ofMachine ? undefined : defaultOf(row)
  if (fallback === undefined) return [`${snake(name)}: ${value}`]
  if (list && [fallback].flat().length === 0) return [`${snake(name)}: [${value}]`]
  const text = stringify({ [snake(name)]: fallback }, { lineWidth: 0 }).trimEnd()
  return `${text}${unitOf(row, ' # ')}`.split('\n')
}

/** Where the package puts it. */
export const settingsPath = (section: string): string => defaultFile(section)
