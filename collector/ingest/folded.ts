import type { Losses, WindowKey } from '../../wire/message.ts'
import type { Fold } from '../fold/fold.ts'

/** A window that has ended, with its end message or without. */
export interface Folded {
  readonly key: WindowKey
  /** The window's end, seconds since the epoch. */
  readonly time: number
  /** Shown and not stored: the first or last window of a run, or one whose time cannot be true. */
  readonly partial: boolean
  /** False: its end message, and maybe rows, are missing. */
  readonly complete: boolean
  /** Seconds. */
  readonly interval: number
  /** What the probe lost since the window before, by stage and reason: `kernel/slot`. */
  readonly lost: Losses
  readonly fold: Fold
}
