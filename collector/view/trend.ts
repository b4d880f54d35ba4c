/** How the numbers of rows went in the last minute. */

const TREND_SECONDS = 60

export const windowsIn = (interval: number): number => Math.max(1, Math.round(TREND_SECONDS / interval))

/** Rates of the rows of one host, by their ids. */
export class Trends {
  #last = new Map<string, readonly number[]>()

  /** @returns the rows with their trends; rows that are not there are forgotten, those that are new were 0 before */
  add<T extends { readonly id: string }>(
    rows: readonly T[],
    interval: number,
    rate: (row: T) => number,
  ): (T & { readonly trend: readonly number[] })[] {
    const most = windowsIn(interval)
    const next = new Map<string, readonly number[]>()
    const found = rows.map(row => {
      const trend = [...(this.#last.get(row.id) ?? []), rate(row)].slice(-most)
      next.set(row.id, trend)
      return { ...row, trend }
    })
    this.#last = next
    return found
  }
}
