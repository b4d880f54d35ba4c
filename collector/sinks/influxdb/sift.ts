/** Lines that stand together: the first, and how many. */
export interface Range {
  readonly from: number
  readonly count: number
}

/** More requests than this are not spent on finding bad lines: what then still fails is given up as it is. */
const MAX_REQUESTS = 200

/**
 * Which lines of a request that failed make it fail. Finds about ten single lines among 5000.
 * @param isStored sends some lines alone; false when they fail as the request did
 * @param isSure that lines are the cause. Otherwise others must be stored before and after: a server that refuses
 *   everything costs three requests
 * @returns nothing when every line that was tried failed: it is not the lines
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

/** One of three single lines. */
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
