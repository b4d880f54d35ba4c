import type { Losses, WindowKey } from '../../wire/message.ts'
import type { Fold } from '../fold/fold.ts'
import type { FlatRow } from '../fold/records/record.ts'
import type { Missing } from './missing.ts'

/** A window that has ended, with its end message or without. */
export interface Folded {
  readonly key: WindowKey
  /** The window's end, seconds since the epoch. */
  readonly time: number
  /** Shown and not stored: the first or last window of a run, or one whose time cannot be true. */
  readonly partial: boolean
  /** False: its end message is missing, or rows are. */
  readonly complete: boolean
  /** Rows of the window, as its probe counted them, if it says so. */
  readonly made?: number
  /** Windows between the one before and this one of which nothing came, oldest first. */
  readonly missing?: readonly Missing[]
  /** How many they are; of very many, `missing` has some. */
  readonly missed?: number
  /** Seconds. */
  readonly interval: number
  /** Names the run as its messages do; `key.host` may be another by now. */
  readonly run?: string
  /** Wall clock less CLOCK_BOOTTIME at its end, milliseconds; undefined when its end is missing. */
  readonly offsetMs?: number
  /** What the probe lost since the window before, by stage and reason: `kernel/slot`. */
  readonly lost: Losses
  readonly fold: Fold
  /** Rows of flows by their ends, by the source of their measurement, where they are wanted. */
  readonly flowCounts?: Readonly<
    Partial<Record<'subnet' | 'peer' | 'service' | 'node', readonly FlatRow[]>>
  > & {
    /** Live conversations with a pod of this host. */
    readonly pods?: number
  }
}
