import type { Losses, WindowKey } from '../../wire/message.ts'
import type { Fold } from '../fold/fold.ts'

/** A window whose end has come, or will not come any more. */
export interface Folded {
  readonly key: WindowKey
  /** The window's end, seconds since the epoch. */
  readonly time: number
  /** The first window of a probe's run: to be shown, not written. */
  readonly partial: boolean
  /** False: its end message, and maybe rows, are missing. */
  readonly complete: boolean
  /** Seconds. */
  readonly interval: number
  /** What the probe lost since the window before, by stage and reason: `kernel/slot`. */
  readonly lost: Losses
  readonly fold: Fold
}
