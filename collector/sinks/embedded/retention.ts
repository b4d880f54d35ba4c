/** A file of the store; the name of each file begins with its day: `2026-01-02.duckdb`, `….wal`. */
interface StoredFile {
  readonly name: string
  readonly bytes: number
}

export interface Bounds {
  /** Number of whole days before today that are kept. */
  readonly maxAgeDays: number
  readonly maxBytes: number
}

const DAY_MS = 86_400_000

/** The UTC day of a time in seconds: `2026-01-02`. */
export function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toISOString().slice(0, 10)
}

/** The oldest day that is kept. */
export function oldestDay(today: string, { maxAgeDays }: Bounds): string {
  return dayOf((Date.parse(today) - maxAgeDays * DAY_MS) / 1000)
}

/**
 * Which days to remove: first those that are too old, then the oldest until the rest fits; never today.
 * `bytes` is the size of the rest; it exceeds the bound only if today alone does.
 */
export function expired(files: readonly StoredFile[], today: string, bounds: Bounds) {
  const sizes = new Map<string, number>()
  for (const { name, bytes } of files) {
    const day = /^\d{4}-\d\d-\d\d(?=\.)/.exec(name)?.[0]
    if (day) sizes.set(day, (sizes.get(day) ?? 0) + bytes)
  }
  const oldest = oldestDay(today, bounds)
  let bytes = sizes.values().reduce((sum, size) => sum + size, 0)
  const days: string[] = []
  for (const [day, size] of [...sizes].sort()) {
    if (day === today || (day >= oldest && bytes <= bounds.maxBytes)) continue
    days.push(day)
    bytes -= size
  }
  return { days, bytes }
}
