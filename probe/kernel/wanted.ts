/** Which signals are to be had: those that are wanted, less those that this kernel or its configuration refuses. */

import { SIGNALS } from '../signals/index.ts'
import type { KernelOptions, Signal } from '../signals/signal.ts'

export class Wanted {
  readonly options: KernelOptions
  /** What is refused, and why: the rest goes on. */
  readonly unavailable = new Map<Signal, string>()

  constructor(options: KernelOptions) {
    this.options = options
  }

  has(signal: Signal): boolean {
    const { wanted, needs } = signal
    if (this.unavailable.has(signal) || (needs && !this.has(needs))) return false
    return wanted?.(this.options) ?? true
  }

  get signals(): readonly Signal[] {
    return SIGNALS.filter(signal => this.has(signal))
  }

  /** @returns false when the probe cannot go on without the signal */
  refuse(signal: Signal, why: string): boolean {
    if (signal.fallback === undefined || this.unavailable.has(signal)) return false
    this.unavailable.set(signal, why)
    return true
  }
}
