/** A commented settings file from a program's table: every key with its help and default, all switched off. */

import { stringify } from 'yaml'
import {
  defaultFile,
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

function valueLines(name: string, { fallback, value = '<text>', ofMachine }: Setting): string[] {
  if (fallback === undefined || fallback === '' || ofMachine) return [`${snake(name)}: ${value}`]
  return stringify({ [snake(name)]: fallback }, { lineWidth: 0 })
    .trimEnd()
    .split('\n')
}

/** Where the package puts it. */
export const settingsPath = (section: string): string => defaultFile(section)
