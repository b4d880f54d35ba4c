/** Findings for people, for programs and for scripts. */

import type { Finding } from './check.ts'

const MARKS = new Map<Finding['ok'], string>([
  [true, 'ok'],
  ['warn', 'less'],
  [false, 'NO'],
])
const WORDS = ['all is well', 'the probe cannot run', 'the probe runs with less']

/** 0: all is well; 1: the probe cannot run; 2: it runs with less. */
export function exitCodeOf(findings: readonly Finding[]): 0 | 1 | 2 {
  if (findings.some(({ ok }) => ok === false)) return 1
  return findings.some(({ ok }) => ok === 'warn') ? 2 : 0
}

/** A line for each, its remedy below it, unless that was said already. */
export function screenOf(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ name }) => name.length))
  const said = new Set<string>()
  const lines = findings.flatMap(({ name, ok, found, remedy }) => {
    const line = `${MARKS.get(ok)!.padEnd(4)}  ${name.padEnd(width)}  ${found}`
    if (remedy === undefined || said.has(remedy)) return [line]
    said.add(remedy)
    return [line, `${' '.repeat(width + 8)}→ ${remedy}`]
  })
  return `${lines.join('\n')}\n${WORDS[exitCodeOf(findings)]}\n`
}
