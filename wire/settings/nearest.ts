/** Finds the word that a mistyped one was meant to be. */

/** Levenshtein's distance: insertions, deletions and replacements from one word to the other. */
export function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, letter] of [...from].entries()) {
    let diagonal = index
    const next = [index + 1]
    for (let at = 1; at <= to.length; at++) {
      next.push(Math.min(row[at]! + 1, next[at - 1]! + 1, diagonal + (letter === to[at - 1] ? 0 : 1)))
      diagonal = row[at]!
    }
    row = next
  }
  return row[to.length]!
}

/** @returns undefined if more than `most` letters, a third of them, differ in all of them */
export function nearest(
  word: string,
  known: readonly string[],
  most = Math.max(1, Math.floor(word.length / 3)),
): string | undefined {
  if (word.length > 100) return undefined
  let best: string | undefined
  let least = most + 1
  for (const candidate of known) {
    const steps = distance(word.toLowerCase(), candidate.toLowerCase())
    if (steps < least) [best, least] = [candidate, steps]
  }
  return best
}

/** `did you mean interval?`, or the whole list. */
export function suggestion(word: string, known: readonly string[]): string {
  const near = nearest(word, known)
  return near === undefined ? `choose from ${known.join(', ')}` : `did you mean ${near}?`
}
