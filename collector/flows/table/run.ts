/** What the flow stage knows of one run of a probe. */

import type { ContainerName, Identity, Names, PodName, ProcessName } from '../../../wire/message.ts'
import type { Containers } from '../../fold/owners.ts'

/** A container that has flows. */
export interface Place {
  readonly run: Run
  readonly id: string
  name: ContainerName
  pod: PodName | undefined
}

/** A process that has flows; `name` comes with the end of the window. */
export interface Program {
  readonly run: Run
  readonly pid: number
  readonly comm: string
  name: ProcessName | undefined
}

export class Run {
  readonly identity: Identity
  /** In `Runs`, from 1. */
  readonly number: number
  /** Machines by their boot id: sockets of one boot have cookies of their own, whichever run tells of them. */
  readonly boot: number
  /** As samples have it: with a suffix when two machines have one name. */
  host: string
  ifid = '0'
  /** Wall clock less CLOCK_BOOTTIME, milliseconds; undefined until a window has ended. */
  offsetMs: number | undefined
  /** The window that ended last, its label in seconds, and the length of a window. */
  window = -1
  time = 0
  interval = 10
  /** Of the collector's clock, milliseconds. */
  seenMs = 0
  /** Messages of all runs, counted: its first one and its last one. */
  readonly first: number
  last: number
  /** List of its flows. */
  firstFlow = 0
  flows = 0
  /** The probe sends sums: it has no rows of flows. */
  isFolded = false
  /** Numbers in `Places` and `Programs`. */
  readonly places = new Map<string, number>()
  readonly programs = new Map<number, number>()
  lookup: Containers<number> | undefined
  lastNames: { readonly cgroups: Names['cgroups']; readonly netns: Names['netns'] } | undefined

  constructor(identity: Identity, number: number, boot: number, first: number) {
    this.identity = identity
    this.number = number
    this.boot = boot
    this.host = identity.host
    this.first = first
    this.last = first
  }
}
