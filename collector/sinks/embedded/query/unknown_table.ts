/** DuckDB's error about a table that does not exist, with the measurements that may have been meant. */

import { distance } from '../../../../wire/settings/nearest.ts'

const MAX_NAMES = 3
/** Longer names are not compared: the time is the product of the lengths. */
const MAX_COMPARED = 100
/** Characters of DuckDB's sentence: it repeats the name, however long. */
const MAX_SENTENCE = 200

export function unknownTable(message: string, measurements: readonly string[]): string | undefined {
  const [, name] = /^Catalog Error: Table with name (.*?) (?:does not exist|$)/.exec(message) ?? []
  if (name === undefined) return undefined
  const [line = ''] = message.split('\n', 1)
  const sentence = line.length > MAX_SENTENCE ? `${line.slice(0, MAX_SENTENCE)}…` : line
  const near = nearestOf(name.replaceAll('"', ''), measurements).map(near => `"${near}"`)
  const hint = near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''
  return `${sentence} ${hint}SHOW TABLES lists the measurements; put the name in double quotes`
}

/** The names that hold the word, then those of which at most a third of the letters differ; the nearest first. */
function nearestOf(word: string, names: readonly string[]): string[] {
  const wanted = word.toLowerCase()
  if (wanted === '' || wanted.length > MAX_COMPARED) return []
  const max = Math.max(1, Math.floor(wanted.length / 3))
  return names
    .map(name => {
      const [, short = name] = name.split(':')
      const steps = Math.min(distance(wanted, name), distance(wanted, short))
      return { name, holds: name.includes(wanted), steps }
    })
    .filter(({ holds, steps }) => holds || steps <= max)
    .sort((a, b) => Number(b.holds) - Number(a.holds) || a.steps - b.steps)
    .slice(0, MAX_NAMES)
    .map(({ name }) => name)
}
