/** A run of lines: the first, and their number. */
export interface Range {
  readonly from: number
  readonly count: number
}

/** Most requests for the search; ranges that still fail then are dropped whole. */
const MAX_REQUESTS = 200

/**
 * Finds the lines that make a request fail: about ten single lines among 5000.
 * @param isStored sends some lines alone; false if they fail as the request did
 * @param isSure lines are known to be the cause. Otherwise other lines must be stored before and after: a server that
 *   refuses everything costs three requests
 * @returns undefined if every tried line failed: the lines are not the cause
 */
export async function sift(
  count: number,
  isStored: (range: Range) => Promise<boolean>,
  isSure: boolean,
): Promise<Range[] | undefined> {
  if (count === 1) return isSure ? [{ from: 0, count }] : undefined
  const good = isSure ? undefined : await findStored({ from: 0, count }, isStored)
  if (!isSure && !good) return undefined
  const bad: Range[] = []
  let left = MAX_REQUESTS
  const ranges: Range[] = halves({ from: 0, count })
  for (let range = ranges.shift(); range; range = ranges.shift()) {
    left--
    if (await isStored(range)) continue
    if (range.count === 1 || left <= 0) bad.push(range)
    else ranges.unshift(...halves(range))
  }
  return good && bad.length > 0 && !(await isStored(good)) ? undefined : bad
}

/** The first of three single lines that is stored, if any. */
export async function findStored(
  { from, count }: Range,
  isStored: (range: Range) => Promise<boolean>,
): Promise<Range | undefined> {
  for (const at of new Set([0, count >> 1, count - 1])) {
    const range = { from: from + at, count: 1 }
    if (await isStored(range)) return range
  }
  return undefined
}

function halves({ from, count }: Range): Range[] {
  const first = Math.ceil(count / 2)
  return [
    { from, count: first },
    { from: from + first, count: count - first },
  ]
}
