/** A line of blocks: how a number went. */

const BLOCKS = [...' ▁▂▃▄▅▆▇█']

/**
 * The newest value is at the right; several values share a block when there are more than columns, the largest counts. The
 * highest block is the largest value of this row, so that rows are not compared with each other.
 */
export function spark(values: readonly number[], columns: number): string {
  const each = Math.max(1, Math.ceil(values.length / columns))
  const bars: number[] = []
  for (let end = values.length; end > 0; end -= each)
    bars.unshift(Math.max(...values.slice(Math.max(0, end - each), end)))
  const most = Math.max(0, ...bars)
  const blocks = bars.map(value =>
    value > 0 ? BLOCKS[Math.max(1, Math.round((value / most) * 8))] : BLOCKS[0],
  )
  return blocks.join('').padStart(columns)
}
