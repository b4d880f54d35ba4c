/** What a spool is to who uses it: `openSpool` in `spool.ts` opens one. */

export interface SpoolOptions {
  /** Of this queue alone; made when it is not there, mode 0700. */
  readonly directory: string
  /** Beyond it the oldest segments are dropped, and counted. */
  readonly maxBytes: number
  /** Records that are older are dropped, and counted. */
  readonly maxAgeMs: number
  /**
   * Called for each record that earlier runs left, oldest first, before `openSpool` resolves. Without it they stay where
   * they are, for another start.
   */
  readonly found?: (record: Found) => void
  /**
   * These records are not there any more, or cannot be read. Called after they were counted in `losses`; also for those
   * that `read` finds damaged. Serials that were released are left out.
   */
  readonly dropped?: (serials: readonly number[], reason: SpoolLoss, amount: SpoolAmount) => void
  /** Milliseconds since the epoch: of what earlier runs left, the age at the start. */
  readonly now?: () => number
  /** Milliseconds that only rise: the age since then, so that a clock that is set drops nothing. */
  readonly steady?: () => number
}

/** What is put in. */
export interface Item {
  /** Says what it is, in JSON; at most 64 KiB of text. */
  readonly head: object
  /** At most 65,535 frames. */
  readonly frames: readonly Buffer[]
  /** What is lost with it: the windows that end with it, and its rows or samples. */
  readonly windows: number
  readonly rows: number
}

/** A record without its frames. */
export interface Found {
  /** Its name in this process: rises in the order in which records were appended, over all runs. */
  readonly serial: number
  /** As it was given to `append`, parsed. */
  readonly head: unknown
  /** When it was appended, milliseconds since the epoch. */
  readonly time: number
  /** On disk. */
  readonly bytes: number
  readonly windows: number
  readonly rows: number
}

export interface SpoolRecord extends Found {
  readonly frames: Buffer[]
}

/** `size` and `age`: beyond the bounds; `damaged`: cut, scrambled, or removed by somebody else. */
export type SpoolLoss = 'size' | 'age' | 'damaged'

export interface SpoolAmount {
  readonly records: number
  readonly windows: number
  readonly rows: number
}

export interface SpoolStats extends SpoolAmount {
  /** Of the segments on disk; records that were released take room until their segment has none that waits. */
  readonly bytes: number
  /** When the oldest record that waits was appended, milliseconds since the epoch; undefined when none waits. */
  readonly oldest: number | undefined
  /** Attempts to write that failed: no space, no permission, a directory that is gone. */
  readonly failures: number
}

export interface Spool {
  /** What waits: appended and not released. */
  readonly stats: SpoolStats
  /** Since it was opened. */
  readonly losses: Readonly<Record<SpoolLoss, SpoolAmount>>
  /** The serial of the oldest record that waits. */
  readonly oldest: number | undefined
  /**
   * Writes them one behind the other, with one fsync for all. Calls are carried out one after the other, in their order.
   * @returns their serials, when they are on disk
   * @throws {Error} what failed, where, and the remedy; then none of them is in the spool. The next call may succeed
   */
  append(items: readonly Item[]): Promise<number[]>
  /** The serial of the record behind this one, if it waits: `after(oldest)`, and so on, are all that wait. */
  after(serial: number): number | undefined
  /**
   * One record, from disk.
   * @returns undefined when it was released or dropped, or is damaged: then it is dropped and counted
   * @throws {Error} when it cannot be read now (EIO, EACCES, no descriptor); it stays
   */
  read(serial: number): Promise<SpoolRecord | undefined>
  /** These are done, in any order; their space is freed with their segment. Never waits, never fails. */
  release(serials: Iterable<number>): void
  /** Drop what is too old: call it now and then. */
  expire(): void
  /** Keeps what waits for the next run, and leaves the directory. */
  close(): Promise<void>
}
