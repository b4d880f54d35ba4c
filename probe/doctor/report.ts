/** Prints findings, and makes their exit code. */

import type { Finding } from '../kernel/finding.ts'

const MARKS = new Map<Finding['ok'], string>([
  [true, 'ok'],
  ['warn', 'less'],
  [false, 'NO'],
])
const WORDS = ['all is well', 'the probe cannot run', 'the probe runs with less']
/** Names of checks with the same cause that are shown; the rest is a number. */
const MAX_NAMES = 3

/** 0: all is well; 1: the probe cannot run; 2: it runs with less. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ ok }) => ok === false)) return 1
  return findings.some(({ ok }) => ok === 'warn') ? 2 : 0
}

/** A line for each, with its remedy below it the first time; a summary unless `verbose`. */
export function screenOf(findings: readonly Finding[], { verbose = false } = {}): string {
  const shown = verbose ? findings : summary(findings)
  const width = Math.max(...shown.map(({ name }) => name.length))
  const shownRemedies = new Set<string>()
  const lines = shown.flatMap(({ name, ok, found, remedy }) => {
    const line = `${MARKS.get(ok)!.padEnd(4)}  ${name.padEnd(width)}  ${found}`
    if (remedy === undefined || shownRemedies.has(remedy)) return [line]
    shownRemedies.add(remedy)
    return [line, `${' '.repeat(width + 8)}→ ${remedy}`]
  })
  const more = shown.length < findings.length ? ' (--verbose shows each check)' : ''
  return `${lines.join('\n')}\n${WORDS[exitCodeOf(findings)]}${more}\n`
}

/** Checks that are ok are one line an area; checks with the same remedy are one line, except two collectors. */
function summary(findings: readonly Finding[]): Finding[] {
  const groups = new Map<string, Finding[]>()
  const seen = new Map<string, number>()
  for (const finding of findings) {
    const { name, area = name, ok, remedy } = finding
    const nth = seen.get(name) ?? 0
    seen.set(name, nth + 1)
    const key = ok === true ? `fine\n${area}` : `${ok}\n${remedy ?? name}\n${nth}`
    const group = groups.get(key)
    if (group) group.push(finding)
    else groups.set(key, [finding])
  }
  return [...groups.values()].map(together)
}

function together(group: readonly Finding[]): Finding {
  const [first, ...others] = group
  if (first === undefined || others.length === 0) return first!
  const { area = first.name } = first
  if (first.ok === true) {
    const list = group.map(({ name, found }) => (name === area ? found : name)).join(', ')
    return {
      ...first,
      name: area,
      found: group.length > 2 * MAX_NAMES ? `${group.length} of them, all fine` : list,
    }
  }
  const names = others.slice(0, MAX_NAMES).map(({ name }) => name)
  const rest = others.length > names.length ? ` and ${others.length - names.length} more` : ''
  return { ...first, found: `${first.found}; for the same reason ${names.join(', ')}${rest}` }
}
